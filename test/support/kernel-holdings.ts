import { readdirSync, readFileSync } from 'node:fs';

/** What a process holds of the kernel, and what it is. Read from /proc; sizes in bytes. */
export interface Holdings {
  readonly rssBytes: number;
  /** The most that was resident at any time. */
  readonly peakRssBytes: number;
  readonly descriptors: number;
  readonly programIds: readonly number[];
  readonly mapIds: readonly number[];
  /** Kernel memory of the maps, as the kernel books it. */
  readonly mapBytes: number;
  /** Of all its BPF programs while kernel.bpf_stats_enabled is on. */
  readonly bpfRunNs: number;
  readonly bpfRuns: number;
  /** User and system time in seconds, in steps of 10 ms. */
  readonly cpuS: number;
}

export function holdingsOf(pid: number): Holdings {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kilobytes = (name: string): number => Number(new RegExp(`^${name}:\\s*(\\d+)`, 'mu').exec(status)?.[1] ?? 0);
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  const programs = new Map<number, { runNs: number; runs: number }>();
  const maps = new Map<number, number>();
  const descriptors = readdirSync(`/proc/${pid}/fdinfo`);
  for (const descriptor of descriptors) {
    const info = descriptorInfo(pid, descriptor);
    const number = (name: string): number | undefined => {
      const text = new RegExp(`^${name}:\\s*(\\d+)`, 'mu').exec(info)?.[1];
      return text === undefined ? undefined : Number(text);
    };
    const program = number('prog_id');
    const map = number('map_id');
    // A link has the id of its program too, but no statistics.
    const runNs = number('run_time_ns');
    if (program !== undefined && runNs !== undefined) programs.set(program, { runNs, runs: number('run_cnt') ?? 0 });
    if (map !== undefined) maps.set(map, number('memlock') ?? 0);
  }
  const sum = (numbers: Iterable<number>): number => [...numbers].reduce((all, each) => all + each, 0);
  return {
    rssBytes: kilobytes('VmRSS') * 1024,
    peakRssBytes: kilobytes('VmHWM') * 1024,
    descriptors: descriptors.length,
    programIds: [...programs.keys()],
    mapIds: [...maps.keys()],
    mapBytes: sum(maps.values()),
    bpfRunNs: sum([...programs.values()].map((each) => each.runNs)),
    bpfRuns: sum([...programs.values()].map((each) => each.runs)),
    cpuS: (Number(stat[11]) + Number(stat[12])) / 100,
  };
}

/** What the kernel says of a descriptor; empty for one that was closed since it was listed. */
export function descriptorInfo(pid: number, descriptor: string): string {
  try {
    return readFileSync(`/proc/${pid}/fdinfo/${descriptor}`, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw error;
  }
}
