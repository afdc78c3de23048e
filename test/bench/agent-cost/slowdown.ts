import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { startAgentProcess } from '../../support/agent-process.ts';
import { startRecordingServer } from '../../support/recording-server.ts';
import { median } from './median.ts';

/** Percent more CPU and wall time of a program pinned to CPU 0 than without a profiler. */
export interface Slowdown {
  readonly cpuPercent: number;
  readonly wallPercent: number;
  /** Half of what two runs without a profiler differ by, on average. */
  readonly noisePercent: number;
}

/** Some five seconds of work. */
const work = '30000';
const settleMs = 3000;

/** Without, with the agent, with `perf record -a -g`, in turn. */
export async function measureSlowdown(
  program: string,
  rounds: number,
): Promise<Readonly<Record<'everflame' | 'perf -g', Slowdown>>> {
  const folder = mkdtempSync(join(tmpdir(), 'everflame-slowdown-'));
  const server = await startRecordingServer();
  const runs: Record<'none' | 'everflame' | 'perf -g', Took[]> = { none: [], everflame: [], 'perf -g': [] };
  try {
    for (let round = 0; round < rounds * 2; round++) {
      runs.none.push(pinned(program));
      const agent = await startAgentProcess({ server, dataDir: join(folder, 'data'), interval: '10s' });
      await sleep(settleMs);
      runs.everflame.push(pinned(program));
      await agent.end('SIGTERM');
      const words = [
        'record',
        '-q',
        '-a',
        '-g',
        '--buildid-mmap',
        '-e',
        'cpu-clock',
        '-F',
        '99',
        '-o',
        join(folder, 'perf.data'),
      ];
      const perf = spawn('perf', words, { stdio: ['ignore', 'ignore', 'inherit'] });
      const exited = once(perf, 'exit');
      await sleep(settleMs);
      runs['perf -g'].push(pinned(program));
      perf.kill('SIGINT');
      await exited;
    }
  } finally {
    await server.close();
    rmSync(folder, { recursive: true });
  }
  const base = { cpu: median(runs.none.map((each) => each.cpuNs)), wall: median(runs.none.map((each) => each.wallNs)) };
  const spread = runs.none.map((each) => Math.abs(each.cpuNs - base.cpu) / base.cpu);
  const against = (taken: readonly Took[]): Slowdown => ({
    cpuPercent: 100 * (median(taken.map((each) => each.cpuNs)) / base.cpu - 1),
    wallPercent: 100 * (median(taken.map((each) => each.wallNs)) / base.wall - 1),
    noisePercent: 100 * median(spread),
  });
  return { everflame: against(runs.everflame), 'perf -g': against(runs['perf -g']) };
}

interface Took {
  readonly cpuNs: number;
  readonly wallNs: number;
}

function pinned(program: string): Took {
  const { status, stdout, stderr } = spawnSync('taskset', ['-c', '0', program, work], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ended with ${status}: ${stderr}`);
  const [cpuNs = Number.NaN, wallNs = Number.NaN] = stdout.trim().split(' ').map(Number);
  return { cpuNs, wallNs };
}
