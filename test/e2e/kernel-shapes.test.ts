/** Both forms of the kernel part, the one for kernels with bpf_loop and the one that calls itself, to their full depths. */
import { type ProgramShape, record } from '@everflame/agent';
import { afterAll, expect, test } from 'vitest';

import { Workloads } from '../workloads/compile.ts';
import { samplesOf, type SeenSample } from './agent-samples.ts';

const workloads = new Workloads();
afterAll(() => workloads.remove());
const program = workloads.compile('deep-frames', { flags: ['-O2', '-fomit-frame-pointer'] });

interface Seen {
  /** Samples below the chain, without those that the agent unwound itself. */
  readonly inKernel: number;
  /** Different stacks of `bottom`, each as `frames of descend × … root`. */
  readonly shapes: Record<string, number>;
}

async function recordAt(depth: number, shape: ProgramShape): Promise<Seen> {
  const { profile, unwinding } = await record({
    frequencyHz: 199,
    target: { kind: 'command', command: program, arguments: ['2000', String(depth)] },
    stdio: 'ignore',
    shapes: [shape],
  });
  const samples = samplesOf(profile).filter(({ functions }) => functions.includes('bottom'));
  const shapes: Record<string, number> = {};
  for (const sample of samples) shapes[shapeOf(sample)] = (shapes[shapeOf(sample)] ?? 0) + sample.count;
  return { inKernel: samples.reduce((sum, { count }) => sum + count, 0) - unwinding.copied, shapes };
}

function shapeOf({ functions }: SeenSample): string {
  return `${functions.filter((name) => name === 'descend').length} × descend, ${functions.at(-1) ?? ''}`;
}

const loop = { hasLoop: true, growsHash: true };
const calls = { hasLoop: false, growsHash: false };

for (const [name, shape] of [
  ['bpf_loop', loop],
  ['bpf_loop and a hash that is allocated before', { hasLoop: true, growsHash: false }],
  ['tail calls', calls],
] as const) {
  test(`${name}: 145 frames and more are walked to the root`, async () => {
    const { inKernel, shapes } = await recordAt(145, shape);
    expect(Object.keys(shapes)).toEqual(['146 × descend, _start']);
    expect(inKernel).toBeGreaterThan(200);
  });
}

test('bpf_loop: 500 frames are walked to the root, and of 600 the 512 from the leaf on are kept', async () => {
  expect(Object.keys((await recordAt(500, loop)).shapes)).toEqual(['501 × descend, _start']);
  const { inKernel, shapes } = await recordAt(600, loop);
  // 512 frames, of which a few are below: clock_gettime and the vDSO's.
  for (const each of Object.keys(shapes)) expect(each).toMatch(/^5(0[5-9]|1[01]) × descend, \[stack cut: depth\]$/u);
  expect(inKernel).toBeGreaterThan(200);
});

test('tail calls: of 300 frames, the 174 from the leaf on are kept', async () => {
  const { inKernel, shapes } = await recordAt(300, calls);
  const counts = Object.entries(shapes);
  const cut = counts.filter(([each]) => /^17\d × descend, \[stack cut: depth\]$/u.test(each));
  // The first ones were unwound by the agent, which has no such limit.
  const whole = counts.filter(([each]) => each === '301 × descend, _start');
  expect(cut.length + whole.length).toBe(counts.length);
  expect(cut.reduce((sum, [, count]) => sum + count, 0)).toBeGreaterThan(200);
  expect(inKernel).toBeGreaterThan(200);
});
