import type { ProfileHeader } from '@everflame/profile';
import { profileFromText } from '@everflame/profile/testing';
import { expect, test } from 'vitest';
import { Refused } from '../problem.ts';
import { MemoryStorage } from '../storage/memory.ts';
import type { StorageReader } from '../storage/storage.ts';
import type { Parameters } from './parameters.ts';
import { answerQueryRange } from './query-range.ts';

const sampleTypes = [
  { type: 'samples', unit: 'count' },
  { type: 'cpu', unit: 'nanoseconds' },
];
const startMs = Date.parse('2026-03-02T12:00:00Z');
const range = { from: String(startMs), until: String(startMs + 180_000) };

/** A profile of version 1 in each of three minutes, of version 2 in the last one; a sample is worth 10 ns. */
async function stored(last = '6/60', header: Partial<ProfileHeader> = {}): Promise<MemoryStorage> {
  const storage = new MemoryStorage();
  const drawn = [
    ['1', 0, '1/10  2/20  4/40', ''],
    ['1', 60_000, '2/20  2/20  4/40', ''],
    ['1', 120_000, '3/30  0/0  4/40', ''],
    ['2', 150_000, `${last}  1/10  1/10`, 'main'],
  ] as const;
  for (const [version, ms, values, above] of drawn) {
    const text = `
      main    main   main
      ${(above || 'parse').padEnd(8)}parse  draw
      parse   read
      = ${values}
    `;
    const times = { timeNanos: BigInt(startMs + ms) * 1_000_000n, durationNanos: 10_000_000_000n };
    const periodType = { type: 'cpu', unit: 'nanoseconds' };
    const profile = profileFromText(text, { sampleTypes, header: { periodType, ...times, ...header } });
    const labels = { service_name: 'api', service_version: version };
    const entries = [{ name: 'process_cpu', labels, profile }];
    await storage.append([{ batchId: null, entries, agent: null, receivedMs: startMs }]);
  }
  return storage;
}

/** A line for each series: its labels, then `samples:value` for each step. */
async function ask(storage: StorageReader, parameters: Parameters): Promise<string[]> {
  const asked = { query: 'process_cpu:cpu:nanoseconds:cpu:nanoseconds{}', ...range, ...parameters };
  const { series } = await answerQueryRange(storage, asked, startMs, () => undefined);
  return series.map(({ labels, values, samples }) =>
    [Object.values(labels).join(' '), ...values.map((value, i) => `${samples[i]}:${value}`)].join('  '),
  );
}

async function refusal(answer: Promise<unknown>): Promise<string> {
  const error = await answer.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof Refused)) throw new Error('it was not refused', { cause: error });
  const { status, code, field } = error.problem;
  return `${status} ${code} ${field}`;
}

test('the top functions over time, and the rest so that all lines are the whole', async () => {
  const storage = await stored();
  expect(await ask(storage, { by: 'function', step: '1m', top: '2' })).toEqual([
    'draw   4:40  4:40  5:50',
    'parse   1:10  2:20  9:90',
    '1 other function  2:20  2:20  1:10',
  ]);
  expect(await ask(storage, { step: '1m' })).toEqual(['  7:70  8:80  15:150']);
  expect(await ask(storage, { by: 'function', step: '1m', top: '2', value: 'total' })).toEqual([
    'main   7:70  8:80  15:150',
    'parse   3:30  4:40  10:100',
  ]);
  expect(await ask(storage, { by: 'function', step: '1h', query: '{service_version="2"}' })).toEqual([
    'parse   6:60',
    'draw   1:10',
    'read   1:10',
    '0 other functions  0:0',
  ]);
});

test('a function over time from counts is what merging each step says', async () => {
  const storage = await stored();
  for (const question of [{}, { by: 'service_version' }, { value: 'self' }, { value: 'self', by: 'service_version' }]) {
    for (const name of ['main', 'parse', 'read', 'absent']) {
      const parameters = { function: name, step: '1m', ...question };
      // A filter that leaves everything has each step merged.
      expect(await ask(storage, parameters)).toEqual(await ask(storage, { ...parameters, focus: '.*' }));
    }
  }
  expect(await ask(storage, { function: 'parse', step: '1m', by: 'service_version' })).toEqual([
    '1  3:30  4:40  3:30',
    '2  7:70',
  ]);
});

test('where samples are not worth the same, or views leave frames out, one function is merged, all are refused', async () => {
  const uneven = await stored('6/61');
  expect(await ask(uneven, { function: 'parse', step: '1h' })).toEqual(['  17:171']);
  expect(await refusal(ask(uneven, { by: 'function', step: '1h' }))).toBe('422 no_counts by');
  const counted = { query: 'process_cpu:samples:count:cpu:nanoseconds{}', by: 'function', step: '1h', top: '1' };
  expect(await ask(uneven, counted)).toEqual(['draw   13:13', '2 other functions  17:17']);
  const dropping = await stored('6/60', { dropFrames: 'read' });
  expect(await ask(dropping, { function: 'parse', step: '1h', value: 'self' })).toEqual(['  17:170']);
  expect(await refusal(ask(dropping, { by: 'function', step: '1h' }))).toBe('422 no_counts by');
});

test.each([
  [{ step: '90s' }, '400 bad_step step'],
  [{ function: 'parse' }, '400 bad_value by'],
  [{ focus: 'parse' }, '400 bad_filter by'],
  [{ top: '0' }, '400 bad_value top'],
  [{ top: '101' }, '400 bad_value top'],
  [{ value: 'flat' }, '400 bad_value value'],
])('by=function with %j is refused with %s', async (parameters, expected) => {
  expect(await refusal(ask(new MemoryStorage(), { by: 'function', ...parameters }))).toBe(expected);
});
