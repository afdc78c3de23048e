import { readFileSync } from 'node:fs';

/** Numbers of a kernel CPU list: `0-3,8` is 0, 1, 2, 3, 8. Throws on anything else: it would mean blind CPUs. */
export function parseCpuList(text: string): number[] {
  const cpus: number[] = [];
  for (const range of text.trim().split(',')) {
    const found = /^(\d+)(?:-(\d+))?$/u.exec(range);
    if (found === null) throw new Error(`not a CPU list: ${JSON.stringify(text)}`);
    const first = Number(found[1]);
    const last = Number(found[2] ?? found[1]);
    for (let cpu = first; cpu <= last; cpu++) cpus.push(cpu);
  }
  return cpus;
}

export function readOnlineCpus(): number[] {
  return parseCpuList(readFileSync('/sys/devices/system/cpu/online', 'latin1'));
}
