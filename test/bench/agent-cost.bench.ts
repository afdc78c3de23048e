/**
 * What the agent costs, beside `perf record` in the same run: `node test/bench/agent-cost.bench.ts [--seconds 20] [--warm-up 20]
 * [--rounds 3] [--loads idle,mix,storm,…]` (25 minutes). Idle, mix and storm run under the agent, `perf record -a -g` and (mix)
 * `perf record -a --call-graph dwarf`, one after the other, as often as there are rounds; what is printed are medians, the targets, and what the OTel profiler cost on such a machine.
 * BPF times come from kernel.bpf_stats_enabled. Needs root and perf; nothing else should run.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { type LoadName, loadNames, Loads } from './agent-cost/loads.ts';
import { type Cost, runEverflame, runPerf } from './agent-cost/profilers.ts';
import { measureSlowdown } from './agent-cost/slowdown.ts';
import { printLoad, printTargets } from './agent-cost/tables.ts';

/** A single language shows what its stacks cost in BPF, of which perf has nothing to compare. */
const besidePerf: ReadonlySet<LoadName> = new Set(['idle', 'mix', 'storm']);
const statsSwitch = '/proc/sys/kernel/bpf_stats_enabled';
const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '20' },
    'warm-up': { type: 'string', default: '20' },
    rounds: { type: 'string', default: '3' },
    loads: { type: 'string', default: loadNames.join() },
  },
});
const run = { seconds: Number(values.seconds), warmUpSeconds: Number(values['warm-up']), cpus: availableParallelism() };
const rounds = Number(values.rounds);
const names = loadNames.filter((name) => values.loads.split(',').includes(name));

if (spawnSync('perf', ['--version']).status !== 0) throw new Error('perf missing; run: apt-get install linux-perf');
const statsBefore = readFileSync(statsSwitch, 'utf8');
const loads = new Loads();
/** Kept between rounds: the first run is cold, the others find what it has left. */
const dataDir = mkdtempSync(join(tmpdir(), 'everflame-bench-data-'));
try {
  writeFileSync(statsSwitch, '1');
  // The launcher compiles the source once. What a cold start is cold of is what the agent keeps itself.
  await runEverflame({ ...run, seconds: 0, warmUpSeconds: 0 });
  const ours = new Map<LoadName, Cost[]>();
  for (const name of names) {
    const [agent, frames, dwarf]: Cost[][] = [[], [], []];
    for (let round = 0; round < rounds; round++) {
      const end = loads.start(name);
      try {
        agent?.push(await runEverflame(run, dataDir));
        if (besidePerf.has(name)) frames?.push(await runPerf(run, 'fp'));
        if (name === 'mix') dwarf?.push(await runPerf(run, 'dwarf'));
      } finally {
        end();
      }
    }
    ours.set(name, agent ?? []);
    printLoad(name, { everflame: agent ?? [], 'perf -g': frames ?? [], 'perf dwarf': dwarf ?? [] });
  }
  printTargets(ours, await measureSlowdown(loads.fixedWork, rounds));
} finally {
  writeFileSync(statsSwitch, statsBefore);
  loads.remove();
  rmSync(dataDir, { recursive: true });
}
