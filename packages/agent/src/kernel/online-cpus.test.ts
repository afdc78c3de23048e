import { availableParallelism } from 'node:os';

import { expect, test } from 'vitest';

import { parseCpuList, readOnlineCpus } from './online-cpus.ts';

test('a CPU list names single CPUs and ranges', () => {
  expect(parseCpuList('0\n')).toEqual([0]);
  expect(parseCpuList('0-3,8,10-11\n')).toEqual([0, 1, 2, 3, 8, 10, 11]);
});

test('anything else is refused, since it would leave CPUs unseen', () => {
  for (const text of ['', 'a', '0-', '0,,1', '-1']) expect(() => parseCpuList(text)).toThrow('not a CPU list');
});

test('this host has at least the CPUs that we may run on', () => {
  expect(readOnlineCpus().length).toBeGreaterThanOrEqual(availableParallelism());
});
