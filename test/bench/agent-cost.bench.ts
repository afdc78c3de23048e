/**
 * What the agent costs: `node test/bench/agent-cost.bench.ts [seconds] [storm]`. Runs it in a process of its own on a busy
 * machine (one C program per CPU; with `storm`, also a hundred processes of 5 ms a second) and prints its CPU time, its
 * resident memory and, by kernel.bpf_stats_enabled, what the BPF program took per sample. Flags of Node.js are handed on. Needs root.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { setTimeout as pause } from 'node:timers/promises';

import { LossCounters, startAgent } from '@everflame/agent';

import { Workloads } from '../workloads/compile.ts';

const statsSwitch = '/proc/sys/kernel/bpf_stats_enabled';

if (process.send === undefined) await bench(Number(process.argv[2] ?? 60), process.argv.includes('storm'));
else await beAgent();

/** The agent as it runs on a host, but for the server: profiles are counted and dropped. */
async function beAgent(): Promise<void> {
  let profiles = 0;
  let bytes = 0;
  const losses = new LossCounters();
  const agent = await startAgent({
    frequencyHz: 99,
    intervalMs: 10_000,
    hostName: 'bench',
    losses,
    shipper: {
      async enqueue(made) {
        profiles += made.length;
        for (const { pprof } of made) bytes += pprof.length;
      },
    },
  });
  process.send?.('ready');
  await once(process, 'message');
  await agent.stop();
  const { sampled } = agent.status();
  process.send?.({ profiles, bytes, sampled, losses: losses.rows().filter((row) => row.total > 0) });
  process.disconnect();
}

interface Usage {
  readonly cpuS: number;
  readonly rssMb: number;
  readonly peakMb: number;
  readonly runNs: number;
  readonly runs: number;
}

/** CPU time of a process from /proc in clock ticks of 10 ms, its memory, and the statistics of its BPF programs. */
function usageOf(pid: number): Usage {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kb = (name: string): number => Number(new RegExp(`^${name}:\\s*(\\d+)`, 'mu').exec(status)?.[1] ?? 0);
  const programs = new Map<string, { runNs: number; runs: number }>();
  for (const fd of readdirSync(`/proc/${pid}/fdinfo`)) {
    const info = readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8');
    const field = (name: string): string | undefined => new RegExp(`^${name}:\\s*(\\d+)`, 'mu').exec(info)?.[1];
    const id = field('prog_id');
    const runNs = field('run_time_ns');
    if (id !== undefined && runNs !== undefined)
      programs.set(id, { runNs: Number(runNs), runs: Number(field('run_cnt')) });
  }
  return {
    cpuS: (Number(stat[11]) + Number(stat[12])) / 100,
    rssMb: kb('VmRSS') / 1024,
    peakMb: kb('VmHWM') / 1024,
    runNs: [...programs.values()].reduce((sum, each) => sum + each.runNs, 0),
    runs: [...programs.values()].reduce((sum, each) => sum + each.runs, 0),
  };
}

async function bench(seconds: number, withStorm: boolean): Promise<void> {
  const workloads = new Workloads();
  const statsBefore = readFileSync(statsSwitch, 'utf8');
  const load: ChildProcess[] = [];
  try {
    writeFileSync(statsSwitch, '1');
    const cpus = availableParallelism();
    const burn = workloads.compile('five-functions');
    for (let i = 0; i < cpus; i++) load.push(spawn(burn, [String(seconds * 4), '/dev/null'], { stdio: 'ignore' }));
    if (withStorm) {
      const storm = `while :; do ${workloads.compile('spawn-many')} 10 ${workloads.compile('burn')} -- 5000; sleep 0.05; done`;
      load.push(spawn('sh', ['-c', storm], { stdio: 'ignore' }));
    }
    const agent = spawn(process.execPath, [...process.execArgv, fileURLToPath(import.meta.url)], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    await once(agent, 'message');
    const pid = agent.pid ?? 0;
    // The first intervals read the symbols of everything that runs: told apart from what comes after.
    const started = usageOf(pid);
    await pause(25_000);
    const warm = usageOf(pid);
    await pause(seconds * 1000);
    const end = usageOf(pid);
    agent.send('stop');
    const [report] = (await once(agent, 'message')) as [unknown];
    const percent = (from: Usage, to: Usage, s: number): string =>
      ((100 * (to.cpuS - from.cpuS)) / s / cpus).toFixed(2);
    const runs = end.runs - warm.runs;
    console.log(`agent, first 25 s: ${percent(started, warm, 25)} % of the machine (${cpus} CPUs)`);
    console.log(`agent, ${seconds} s after: ${percent(warm, end, seconds)} % of the machine`);
    console.log(
      `BPF: ${Math.round((end.runNs - warm.runNs) / runs)} ns a sample, ${runs} samples, ` +
        `${((end.runNs - warm.runNs) / seconds / 1e7 / cpus).toFixed(3)} % of the machine`,
    );
    console.log(`memory: ${end.rssMb.toFixed(0)} MB resident, ${end.peakMb.toFixed(0)} MB at most`);
    console.log(JSON.stringify(report));
  } finally {
    for (const child of load) child.kill('SIGKILL');
    writeFileSync(statsSwitch, statsBefore);
    workloads.remove();
  }
}
