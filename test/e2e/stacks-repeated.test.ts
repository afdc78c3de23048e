/** The kernel part sends a stack once and then says only that it came again: no two stacks may be taken for one, and none may be lost. */
import { type ProgramShape, record } from '@everflame/agent';
import { afterAll, expect, test } from 'vitest';

import { Workloads } from '../workloads/compile.ts';
import { lossOfSamples, samplesOf, type SeenSample, total } from './agent-samples.ts';

const workloads = new Workloads();
afterAll(() => workloads.remove());
const program = workloads.compile('named-paths');
const levels = 20;
const seconds = 4;

/** `101…`, the leaf's last: what the name of the thread says, and what its functions say. */
function pathsOf({ labels, functions }: SeenSample): { readonly told: string; readonly seen: string } {
  const number = Number(/^path(\d+)$/u.exec(labels['thread_name'] ?? '')?.[1]);
  const told = Array.from({ length: levels }, (_, level) => (number >> level) & 1).join('');
  const from = functions.indexOf('bottom') + 1;
  const calls = functions.slice(from).filter((name) => name === 'one' || name === 'zero');
  // The first is called by main, whatever the path.
  const seen = calls
    .map((name) => (name === 'one' ? 1 : 0))
    .reverse()
    .slice(1)
    .join('');
  return { told, seen };
}

async function run(
  shape: ProgramShape,
  paths: number,
): Promise<{ distinct: number; samples: number; repeated: number }> {
  const { profile, unwinding, losses, exitCode } = await record({
    frequencyHz: 999,
    target: {
      kind: 'command',
      command: program,
      arguments: [String(seconds * 1000), String(levels), String(paths), '300'],
    },
    stdio: 'ignore',
    shapes: [shape],
  });
  expect(exitCode).toBe(0);
  expect(losses.filter((row) => lossOfSamples.has(row.name) && row.total > 0)).toEqual([]);
  const atBottom = samplesOf(profile).filter(({ functions }) => functions.includes('bottom'));
  const wrong = atBottom.map(pathsOf).filter(({ told, seen }) => told !== seen);
  expect(wrong.slice(0, 5), `${wrong.length} of ${atBottom.length}`).toEqual([]);
  // Nine of ten ticks are at the end of a path.
  expect(total(atBottom)).toBeGreaterThan(0.8 * seconds * 999);
  const distinct = new Set(atBottom.map(({ labels }) => labels['thread_name'])).size;
  return { distinct, samples: total(atBottom), repeated: unwinding.repeated };
}

for (const [name, shape] of [
  ['bpf_loop', { hasLoop: true, growsHash: true }],
  ['tail calls', { hasLoop: false, growsHash: false }],
] as const) {
  test(`${name}: few stacks repeat, and each is its own`, async () => {
    // Of 4 paths at a time, a tick may hit two instructions of their end or the same one: some in a hundred differ.
    const { distinct, repeated, samples } = await run(shape, 4);
    expect(distinct).toBeGreaterThan(50);
    expect(repeated).toBeGreaterThan(0.2 * samples);
  });

  test(`${name}: more stacks than are kept push each other out, and each is its own`, async () => {
    const { distinct, repeated } = await run(shape, 500);
    // 24 frames each: 170 are kept.
    expect(distinct).toBeGreaterThan(1000);
    expect(repeated).toBeGreaterThan(0);
  });
}
