import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { profileFromText } from '@everflame/profile/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MemoryStorage } from '../../memory.ts';
import type { Batch, FunctionCounts, Selection } from '../../storage.ts';
import { Block, blocksDir } from '../block/block.ts';
import { Maintenance } from '../maintenance.ts';
import type { Part, PartSeries } from '../part.ts';
import { EmbeddedReader } from '../reader.ts';
import { verifyStore } from '../verify.ts';
import { EmbeddedWriter } from '../writer.ts';
import { countsProblems } from './counts-problems.ts';
import type { CountsSpan } from './counts-spans.ts';
import { FunctionCountsRun } from './function-counts-run.ts';

const sampleTypes = [
  { type: 'samples', unit: 'count' },
  { type: 'cpu', unit: 'nanoseconds' },
];
const cpu = { type: 'cpu', unit: 'nanoseconds' };
const [minuteMs, hourMs] = [60_000, 3_600_000];
/** 22:00, so that four hours are parts of two days. */
const startMs = Date.parse('2026-03-01T22:00:00Z');

/** The profile of ten seconds: `parse` calls itself, and in every second minute `draw` takes more. */
function profileAt(timeMs: number) {
  const drawn = Math.floor(timeMs / minuteMs) % 2 === 0 ? 1 : 3;
  const text = `
    main   main   main   main       main
    parse  parse  draw   draw       idle
    parse  read   line   line(inl)
    = 2/20  1/10  ${drawn}/10  4/40  1/10
    ~ thread=a  thread=b  -  -  -
  `;
  const timeNanos = BigInt(timeMs) * 1_000_000n;
  return profileFromText(text, { sampleTypes, header: { periodType: cpu, timeNanos, durationNanos: 10_000_000_000n } });
}

/** Three minutes of each of four hours, on two hosts. */
const times = [0, 1, 2, 3].flatMap((hour) =>
  [0, 1, 2].flatMap((minute) => [0, 1, 2, 3, 4, 5].map((n) => hour * hourMs + minute * minuteMs + n * 10_000)),
);
const batches: Batch[] = times.map((ms) => ({
  batchId: null,
  entries: ['a', 'b'].map((host) => ({
    name: 'process_cpu',
    labels: { service_name: 'api', host_name: host },
    profile: profileAt(startMs + ms),
  })),
  agent: null,
  receivedMs: startMs,
}));
const all: Selection = {
  name: 'process_cpu',
  sampleType: cpu,
  periodType: cpu,
  matchers: [],
  fromMs: startMs,
  untilMs: startMs + 4 * hourMs,
};

const dataDir = mkdtempSync(join(tmpdir(), 'everflame-counts-'));
const memory = new MemoryStorage();
const writer = new EmbeddedWriter(dataDir, startMs);
const maintenance = new Maintenance(dataDir);
const reader = new EmbeddedReader(dataDir);
beforeAll(async () => {
  for (const batch of batches) {
    await memory.append([batch]);
    await writer.append([batch]);
  }
  writer.rotate();
});
afterAll(async () => {
  await Promise.all([reader.close(), writer.close()]);
  maintenance.close();
  rmSync(dataDir, { recursive: true });
});

/** A line a row: hour and minute, labels, profiles, samples, value, then each function's self/inclusive. */
function draw({ functions, rows }: FunctionCounts): string {
  const lines = rows.map(({ labels, timeMs, samples, value, profiles, durationNanos, self, inclusive, ...row }) => {
    const time = new Date(timeMs).toISOString().slice(11, 16);
    const counts = Array.from(row.function, (id, i) => `${functions.name[id]} ${self[i]}/${inclusive[i]}`).sort();
    const facts = [time, ...Object.values(labels), `${profiles} profiles`, `${durationNanos / 1_000_000_000n} s`];
    return [...facts, `${samples} samples`, value, ...counts].join('  ');
  });
  return lines.join('\n');
}

/** The lines group by group, as the engine has them. */
function sorted(text: string, by: readonly string[]): string {
  const host = (line: string) => (by.length === 0 ? '' : line.slice(7, 8));
  return text
    .split('\n')
    .sort((a, b) => (host(a) < host(b) ? -1 : host(a) > host(b) ? 1 : 0))
    .join('\n');
}

function parts(): Part[] {
  const files = readdirSync(blocksDir(dataDir)).map((name) => new Block(join(blocksDir(dataDir), name)));
  return files.flatMap((block) => block.groups.map((group) => block.part(group)));
}

/** The part with another thing in the place of some of its series' things. */
function changed(part: Part, change: (series: PartSeries) => Partial<PartSeries>): Part {
  const proxies = part.series.map((series) => {
    const own = change(series);
    return new Proxy(series, {
      get: (target, name) => {
        const value: unknown = Reflect.get(name in own ? own : target, name);
        return typeof value === 'function' ? (value as () => unknown).bind(target) : value;
      },
    });
  });
  return { dictionary: part.dictionary, leaves: part.leaves, series: proxies };
}

/** Asks all blocks; answers how many profiles were looked into, too. */
function ask(selection: Selection, stepMs: number, by: readonly string[]) {
  const run = new FunctionCountsRun(selection, stepMs, by);
  let scanned = 0;
  for (const part of parts()) {
    const spied = changed(part, (series) => ({
      read: (row, into) => {
        scanned++;
        series.read(row, into);
      },
    }));
    run.add(
      spied,
      spied.series.map((series) => ({ series, own: { labels: series.labels, open: [] } })),
    );
  }
  return { answer: draw(run.finish()), scanned };
}

test('an epoch and the blocks that it becomes answer alike', async () => {
  const expected = await memory.functionCounts(all, Infinity, []);
  const found = await reader.functionCounts(all, Infinity, []);
  expect(draw(found)).toBe(draw(expected));
  while (maintenance.step(startMs, true));
  expect(draw(await reader.functionCounts(all, Infinity, []))).toBe(draw(expected));
  expect(parts().flatMap(({ series }) => series.map((one) => one.counts()?.length))).toEqual([1, 1, 1, 1]);
  expect(verifyStore(dataDir).problems).toEqual([]);
});

test('what is kept answers by minute, hour and day without a look into a profile', async () => {
  expect(ask(all, Infinity, [])).toEqual({
    scanned: 0,
    answer:
      '22:00  144 profiles  1440 s  1392 samples  12960  draw 0/816  idle 144/144  line 816/816  main 0/1392  parse 288/432  read 144/144',
  });
  const twoMinutes = { ...all, fromMs: startMs + minuteMs, untilMs: startMs + 3 * minuteMs };
  expect(ask(twoMinutes, minuteMs, ['host_name', 'absent'])).toEqual({
    scanned: 0,
    answer: [
      '22:01  a  6 profiles  60 s  66 samples  540  draw 0/42  idle 6/6  line 42/42  main 0/66  parse 12/18  read 6/6',
      '22:02  a  6 profiles  60 s  54 samples  540  draw 0/30  idle 6/6  line 30/30  main 0/54  parse 12/18  read 6/6',
      '22:01  b  6 profiles  60 s  66 samples  540  draw 0/42  idle 6/6  line 42/42  main 0/66  parse 12/18  read 6/6',
      '22:02  b  6 profiles  60 s  54 samples  540  draw 0/30  idle 6/6  line 30/30  main 0/54  parse 12/18  read 6/6',
    ].join('\n'),
  });
  for (const step of [minuteMs, 2 * minuteMs, hourMs, 7 * hourMs, 24 * hourMs]) {
    for (const by of [[], ['host_name']]) {
      const expected = draw(await memory.functionCounts(all, step, by));
      expect(ask(all, step, by)).toEqual({ scanned: 0, answer: sorted(expected, by) });
    }
  }
});

test('only minutes that the range cuts are looked into', async () => {
  const cut = { ...all, fromMs: startMs + 25_000, untilMs: startMs + 3 * hourMs + minuteMs + 5_000 };
  const expected = draw(await memory.functionCounts(cut, Infinity, []));
  // Three of the first minute's profiles and one of the last one's, on each host.
  expect(ask(cut, Infinity, [])).toEqual({ scanned: 8, answer: expected });
});

test('conditions on labels of samples are answered from the samples', async () => {
  const matchers = [{ name: 'thread', operator: '=', value: 'a' } as const];
  const one = await reader.functionCounts({ ...all, matchers }, hourMs, []);
  expect(draw(one).split('\n')[0]).toBe('22:00  36 profiles  360 s  72 samples  720  main 0/72  parse 72/72');
});

test('counts that are not those of the profiles are found by verify', () => {
  const [first] = parts();
  if (first === undefined) throw new Error('there is no part');
  const withDays = (change: (day: CountsSpan) => CountsSpan) =>
    countsProblems(changed(first, (series) => ({ counts: () => series.counts()?.map(change) ?? null })));
  const where = `counts from ${startMs} to ${startMs + hourMs + 2 * minuteMs + 50_000}`;
  expect(withDays((day) => day)).toEqual([]);
  const oneMore = withDays((day) => ({
    ...day,
    read: (into) => {
      day.read?.(into);
      into.self[0] = (into.self[0] ?? 0) + 1;
    },
  }));
  expect(oneMore).toEqual(['a', 'b'].map((host) => expect.stringContaining(`"${host}"`) as string));
  expect(oneMore[0]).toContain(`${where} differ from their profiles in a function`);
  const oneLess = withDays((day) => ({ ...day, parts: () => (day.parts?.() ?? []).slice(1) }));
  expect(oneLess[0]).toContain('not');
  const wrongSum = withDays((day) => ({
    ...day,
    read: (into) => {
      day.read?.(into);
      into.samples--;
    },
  }));
  expect(wrongSum[0]).toContain(`${where} say 36 profiles of 360000000000 ns, 347 samples`);
});
