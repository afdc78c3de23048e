import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  buildTree,
  decodePooled,
  decodeProfile,
  diffTrees,
  type DecodeResult,
  encodeProfile,
  functionsOfSide,
  type LabelInput,
  limitTree,
  type Matcher,
  type Profile,
  ProfileBuilder,
  StringPool,
  unsortedFunctionsOfTree,
  type ValueType,
} from '@everflame/profile';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { EmbeddedReader } from './embedded/reader.ts';
import { Maintenance } from './embedded/maintenance.ts';
import { EmbeddedWriter } from './embedded/writer.ts';
import { MemoryStorage } from './memory.ts';
import {
  type Batch,
  type Entry,
  type FunctionCounts,
  type Merged,
  type MergedDiff,
  type MergedTree,
  type Selection,
  StorageError,
  type StorageReader,
} from './storage.ts';

const type = (text: string): ValueType => {
  const [name = '', unit = ''] = text.split('/');
  return { type: name, unit };
};
const cpu = { sampleTypes: [type('samples/count'), type('cpu/nanoseconds')], periodType: type('cpu/nanoseconds') };
const shapes = [
  cpu,
  { ...cpu, defaultSampleType: 'cpu', comments: ['from a second tool'], period: 7n },
  { sampleTypes: [type('cpu/nanoseconds')], periodType: type('cpu/nanoseconds') },
  { sampleTypes: [type('inuse_objects/count'), type('inuse_space/bytes')], periodType: type('space/bytes') },
];
const baseMs = 1_700_000_000_000;

/** Beyond what float64 holds, and so large that two of them leave int64 whatever small ones are added. */
const big = fc.constantFrom(2n ** 53n + 1n, 2n ** 62n + 100_000n);
const small = fc.oneof({ weight: 30, arbitrary: fc.bigInt({ min: 1n, max: 50n }) }, fc.bigInt({ min: -5n, max: 50n }));
const label: fc.Arbitrary<LabelInput> = fc.oneof(
  fc.record({ key: fc.constantFrom('thread_name', 'host_name'), text: fc.constantFrom('main', 'worker', 'a') }),
  fc.record({
    key: fc.constant('bytes'),
    number: fc.bigInt({ min: -1n, max: 2n }),
    unit: fc.constantFrom('', 'bytes'),
  }),
);
/** `isPlain`: every frame has a function and every value is above 0, so that trees are answered by the index. */
const frameOf = (isPlain: boolean) =>
  fc.record({
    binary: fc.nat(2),
    address: fc.nat(3),
    lines: fc.array(fc.record({ name: fc.constantFrom('f', 'g', 'h', ''), line: fc.nat(2), column: fc.nat(1) }), {
      minLength: isPlain ? 1 : 0,
      maxLength: 2,
    }),
  });
const sampleOf = (isPlain: boolean) => {
  const value = isPlain ? fc.bigInt({ min: 1n, max: 50n }) : small;
  return fc.record({
    stack: fc.array(frameOf(isPlain), { maxLength: 4 }),
    labels: fc.array(label, { maxLength: 2 }),
    values: fc.tuple(value, value),
  });
};

/** How many nanoseconds each sample of a profile stands for, as a sampler's do; 0: any values. */
const sampleNanos = fc.oneof(
  { weight: 2, arbitrary: fc.constant(7n) },
  { weight: 1, arbitrary: fc.constantFrom(0n, 10n) },
);

interface SampleInput {
  readonly stack: readonly {
    binary: number;
    address: number;
    lines: readonly { name: string; line: number; column: number }[];
  }[];
  readonly labels: readonly LabelInput[];
  readonly values: readonly bigint[];
}

function byClock(samples: readonly SampleInput[], each: bigint): readonly SampleInput[] {
  if (each === 0n) return samples;
  return samples.map((one) => {
    const count = one.values[0] === undefined || one.values[0] <= 0n ? 1n : one.values[0];
    return { ...one, values: [count, count * each] };
  });
}

/** Binary 1 and 2 are one, loaded at two addresses. */
function buildProfile(shape: (typeof shapes)[number], samples: readonly SampleInput[], timeNanos: bigint): Profile {
  const builder = new ProfileBuilder({ ...shape, timeNanos, durationNanos: 10_000_000_123n });
  for (const { stack, labels, values } of samples) {
    let row = 0;
    for (const { binary, address, lines } of stack) {
      const start = BigInt(binary) * 0x10000n;
      const file = binary === 0 ? '/bin/api' : '/lib/libc.so';
      const buildId = binary === 0 ? '' : 'abcd';
      const mapping = builder.mapping({ memoryStart: start, memoryLimit: start + 0x4000n, file, buildId, flags: 15 });
      const location = builder.location({
        mapping,
        address: start + BigInt(address),
        lines: lines.map(({ name, line, column }) => ({
          // Several functions have one name and one file.
          function: builder.function({ name, systemName: `_Z${name}${line}`, file: `${name}.c`, startLine: 3 }),
          line,
          column,
        })),
      });
      row = builder.stack(row, location);
    }
    builder.add(row, builder.labelSet(labels), values.slice(0, shape.sampleTypes.length));
  }
  return builder.build();
}

const entryOf = (isPlain: boolean): fc.Arbitrary<Entry> =>
  fc
    .record({
      name: fc.constantFrom('process_cpu', 'process_cpu', 'memory'),
      service: fc.constantFrom('api', 'web'),
      host: fc.option(fc.constantFrom('a', 'b'), { nil: undefined }),
      version: fc.option(fc.constantFrom('v1', 'v2'), { nil: undefined }),
      more: fc.constantFrom(
        {},
        {},
        { service_version_source: 'build_id' },
        { k8s_pod_name: 'p' },
        { container_id: 'c' },
      ),
      shape: fc.constantFrom(...(isPlain ? [cpu] : shapes)),
      samples: fc.array(sampleOf(isPlain), { maxLength: 6 }),
      each: sampleNanos,
      extreme: isPlain
        ? fc.constant(undefined)
        : fc.option(fc.record({ value: big, stack: fc.array(frameOf(false), { maxLength: 1 }) }), {
            nil: undefined,
            freq: 8,
          }),
      // Some minutes, some days apart, so that blocks have several windows.
      timeMs: fc.oneof(
        fc.nat(100),
        fc.nat(400).map((ms) => ms * 10_000),
        fc.nat(100).map((ms) => ms * 36_000_000),
      ),
      restNanos: fc.nat(999_999),
    })
    .map(({ name, service, host, version, more, shape, samples, each, extreme, timeMs, restNanos }) => {
      const added =
        extreme === undefined
          ? []
          : [
              {
                stack: extreme.stack,
                labels: [],
                values: [...shape.sampleTypes.slice(1).map(() => 1n), extreme.value],
              },
            ];
      return {
        name,
        labels: {
          service_name: service,
          ...(host === undefined ? {} : { host_name: host }),
          ...(version === undefined ? {} : { service_version: version }),
          ...more,
        },
        profile: buildProfile(
          shape,
          [...byClock(samples, each), ...added],
          BigInt(baseMs + timeMs) * 1_000_000n + BigInt(restNanos),
        ),
      };
    });
const batchOf = (entries: fc.Arbitrary<readonly Entry[]>): fc.Arbitrary<Batch> =>
  fc.record({
    batchId: fc.option(fc.uint8Array({ minLength: 1, maxLength: 1, max: 3 }), { nil: null }),
    entries,
    agent: fc.constant(null),
    receivedMs: fc.constant(baseMs),
  });

/** One or two series with so many profiles that blocks have rollups of rollups. */
const denseBatchOf = (isPlain: boolean) =>
  batchOf(
    fc
      .record({
        shape: fc.constantFrom(...(isPlain ? [cpu] : shapes)),
        each: sampleNanos,
        drawn: fc.array(
          fc.record({
            service: fc.constantFrom('api', 'api', 'api', 'web'),
            samples: fc.array(sampleOf(isPlain), { maxLength: 4 }),
            // A few have another clock.
            own: fc.oneof({ weight: 15, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: sampleNanos }),
            // All in one minute, or in some minutes of some hours.
            timeMs: fc.oneof(
              fc.nat(100),
              fc.tuple(fc.nat(3), fc.nat(3)).map(([hour, minute]) => hour * 36_000_000 + minute * 60_000),
            ),
            isLabelled: fc.boolean(),
          }),
          { minLength: 20, maxLength: 40 },
        ),
      })
      .map(({ shape, each, drawn }) =>
        [...drawn, ...drawn, ...drawn].map(({ service, samples, own, timeMs, isLabelled }, i) => ({
          name: 'process_cpu',
          labels: { service_name: service },
          profile: buildProfile(
            shape,
            byClock(samples, own ?? each).map((one) => (isLabelled ? one : { ...one, labels: [] })),
            BigInt(baseMs + timeMs + Math.floor(i / drawn.length)) * 1_000_000n,
          ),
        })),
      ),
  );

const matcher: fc.Arbitrary<Matcher> = fc.record({
  name: fc.constantFrom('service_name', 'host_name', 'thread_name', 'bytes', 'nowhere'),
  operator: fc.constantFrom('=', '!=', '=~', '!~'),
  value: fc.constantFrom('', 'api', 'a', 'main', '.*', 'm.*|w.*', '1', 'api|web'),
});
/** Half of them ask for what there is most of, in all of its time: what is drawn freely mostly selects nothing. */
const question = fc.record({
  name: fc.constantFrom('process_cpu', 'process_cpu', 'process_cpu', 'memory'),
  shape: fc.constantFrom(cpu, cpu, cpu, ...shapes),
  typeIndex: fc.nat(1),
  matchers: fc.oneof(fc.constant([]), fc.array(matcher, { maxLength: 2 })),
  fromMs: fc.oneof(fc.constant(0), fc.nat(60)).map((ms) => baseMs + ms),
  spanMs: fc.oneof(fc.constant(4_000_000_000), fc.constantFrom(1, 30, 200, 300_000, 1_000_000_000)),
  labels: fc.constantFrom('own' as const, [], ['service_version'], ['thread_name', 'host_name'], ['bytes']),
  stepMs: fc.constantFrom(1, 7, 1_000_000),
  minutes: fc.constantFrom(1, 7, 60, 1440, Infinity),
});

/** What a merged profile says, without the order of its tables; addresses from the start of their mapping. */
function spell({ profile, typeIndex, profiles }: Merged): unknown {
  const { samples, stacks, locations, functions, mappings, labelSets, strings, sampleTypes } = profile;
  const text = (column: Uint32Array, row: number) => strings[column[row] ?? 0];
  const locationText = (location: number) => {
    const mapping = locations.mapping[location] ?? 0;
    const lines: unknown[] = [];
    for (let i = locations.lineOffset[location] ?? 0; i < (locations.lineOffset[location + 1] ?? 0); i++) {
      const f = locations.lineFunction[i] ?? 0;
      const names = [text(functions.nameString, f), text(functions.systemNameString, f), text(functions.fileString, f)];
      lines.push([...names, functions.startLine[f], locations.lineNumber[i], locations.lineColumn[i]]);
    }
    const offset = (locations.address[location] ?? 0n) - (mappings.memoryStart[mapping] ?? 0n);
    return [
      text(mappings.fileString, mapping),
      text(mappings.buildIdString, mapping),
      mappings.flags[mapping],
      offset,
      lines,
    ];
  };
  const rows: string[] = [];
  for (let i = 0; i < samples.length; i++) {
    const path: unknown[] = [];
    for (let s = samples.stack[i] ?? 0; s > 0; s = stacks.parent[s] ?? 0)
      path.push(locationText(stacks.location[s] ?? 0));
    const labels: string[] = [];
    const set = samples.labelSet[i] ?? 0;
    for (let j = labelSets.offset[set] ?? 0; j < (labelSets.offset[set + 1] ?? 0); j++) {
      const unit = text(labelSets.unitString, j);
      labels.push([text(labelSets.keyString, j), text(labelSets.textString, j), labelSets.number[j], unit].join('|'));
    }
    const values = sampleTypes.map((_, t) => samples.values[i * sampleTypes.length + t]);
    rows.push(print([path, labels.sort(), values, samples.count[i]]));
  }
  const { periodType, period, timeNanos, durationNanos, comments, defaultSampleType } = profile;
  const head = { sampleTypes, periodType, period, timeNanos, durationNanos, comments, defaultSampleType };
  return { head, typeIndex, profiles, rows: rows.sort() };
}

/** What counts say, without the order of functions and groups. */
function spellCounts({ functions: { name, system, file }, rows }: FunctionCounts): unknown {
  expect(new Set(name.map((one, id) => `${one} ${file[id]}`)).size).toBe(name.length);
  expect(system.every((one, id) => /^[0-9]$/.test(one.replace(`_Z${name[id]}`, '')))).toBe(true);
  return rows
    .map(({ function: ids, self, inclusive, ...row }) => {
      expect([self.length, inclusive.length]).toEqual([ids.length, ids.length]);
      expect(ids.every((id, i) => i === 0 || id > (ids[i - 1] ?? 0))).toBe(true);
      const functions = Array.from(ids, (id, i) => [name[id], file[id], self[i], inclusive[i]].join());
      return print([row.labels, row, functions.sort()]);
    })
    .sort();
}

function print(value: unknown): string {
  return JSON.stringify(value, (_, one: unknown) => (typeof one === 'bigint' ? `${one}n` : one));
}

/** What a reader answers, or the code of its refusal. */
async function outcome<T>(answer: Promise<T>): Promise<T | string> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof StorageError) return error.code;
    throw error;
  }
}

/** Lines of a tree: depth, frame and amounts of each node. Of a name that stands in several files or binaries any may be said. */
function spellTree({ tree, profiles }: MergedTree): unknown {
  const depth = new Uint32Array(tree.parent.length);
  const rows = Array.from(tree.parent, (parent, node) => {
    depth[node] = node === 0 ? 0 : (depth[parent] ?? 0) + 1;
    const at = tree.frame[node] ?? 0;
    const { name, kind } = tree.frames;
    const rest = 'rest' in tree ? tree.rest[node] : 0;
    const amounts = [tree.total[node], tree.self[node], tree.samples[node], tree.selfSamples[node]];
    return print([depth[node], name[at], kind[at], amounts, rest]);
  });
  return { profiles, rows };
}

/** Lines of the union of two trees. */
function spellDiff({ tree: { frames, parent, frame, before, after }, profiles }: MergedDiff): unknown {
  const counts = { frames, parent, frame };
  const sides = [
    { ...counts, ...before },
    { ...counts, ...after },
  ].map((tree) => spellTree({ tree, profiles: 0 }));
  return { sides, profiles };
}

/** Asks for trees in both ways. */
async function checkTrees(reader: StorageReader, asked: readonly Question[]): Promise<void> {
  for (const { name, shape, typeIndex, matchers, fromMs, spanMs, stepMs } of asked) {
    const sampleType = shape.sampleTypes[typeIndex] ?? shape.sampleTypes[0] ?? { type: '', unit: '' };
    const range = { fromMs, untilMs: fromMs + spanMs };
    const selection = { ...range, name, sampleType, periodType: shape.periodType, matchers };
    const found = await reader.tree?.(selection);
    if (found === null || found === undefined) continue;
    if (found.tree.parent.length > 1) trees[found.tree.perSample === undefined ? 'apart' : 'counted']++;
    const merged = await outcome(reader.merge({ ...selection, labels: [] }));
    // A tree is of one type; a merged profile has all, of which another one may leave int64.
    if (typeof merged === 'string') {
      expect(merged).toBe('sum_overflow');
      continue;
    }
    const tree = buildTree(merged.profile, merged.typeIndex);
    expect(spellTree(found)).toEqual(spellTree({ tree, profiles: merged.profiles }));
    const maxNodes = 1 + (stepMs % 7);
    await checkDiff(reader, found, selection);
    const limited = await reader.tree?.(selection, maxNodes);
    const expected = { tree: limitTree(tree, { maxNodes }), profiles: merged.profiles };
    expect(limited === null || limited === undefined ? limited : spellTree(limited)).toEqual(spellTree(expected));
  }
}

/** Both halves of what was asked for, against all of it. */
async function checkDiff(reader: StorageReader, all: MergedTree, selection: Selection): Promise<void> {
  const middle = Math.floor((selection.fromMs + selection.untilMs) / 2);
  for (const half of [
    { ...selection, untilMs: middle },
    { ...selection, fromMs: middle },
  ]) {
    const part = await reader.tree?.(half);
    const found = await reader.diff?.(half, selection);
    expect(found === null).toBe(part === null);
    if (found === null || found === undefined || part === null || part === undefined) continue;
    const expected = { tree: diffTrees(part.tree, all.tree), profiles: { before: part.profiles, after: all.profiles } };
    expect(spellDiff(found)).toEqual(spellDiff(expected));
    for (const side of ['before', 'after'] as const) {
      const functions = functionsOfSide(found.tree, side);
      const own = unsortedFunctionsOfTree(side === 'before' ? part.tree : all.tree);
      const spelled = [functions, own].map(({ frames: { name }, total, self, samples }) =>
        name.map((one, row) => print([one, total[row], self[row], samples[row]])).sort(),
      );
      expect(spelled[0]).toEqual(spelled[1]);
    }
  }
}

async function answers(reader: StorageReader, asked: readonly Question[]) {
  const said: unknown[] = [];
  for (const { name, shape, typeIndex, matchers, fromMs, spanMs, labels, stepMs, minutes } of asked) {
    const range = { fromMs, untilMs: fromMs + spanMs };
    const sampleType = shape.sampleTypes[typeIndex] ?? shape.sampleTypes[0] ?? { type: '', unit: '' };
    const selection = { ...range, name, sampleType, periodType: shape.periodType, matchers };
    const merged = await outcome(reader.merge({ ...selection, labels }));
    said.push(typeof merged === 'string' ? merged : spell(merged));
    const by = labels === 'own' ? ['thread_name'] : labels;
    const lines = await outcome(reader.range(selection, stepMs, by));
    said.push(typeof lines === 'string' ? lines : lines.map(print).sort());
    const counts = await outcome(reader.functionCounts(selection, minutes * 60_000, by));
    said.push(typeof counts === 'string' ? counts : spellCounts(counts));
    said.push(await reader.series(range, matchers));
    said.push(await reader.sampleLabelNames(range), await reader.sampleLabelValues(range, 'thread_name'));
    said.push(await reader.sampleLabelValues(range, 'bytes'));
  }
  const { bytes: _bytes, ...status } = await reader.status();
  return { said, versions: await reader.versions(), status };
}

/** What happens to a store between two questions: profiles come, and what was there becomes blocks or is merged. */
const happeningOf = (batches: fc.Arbitrary<readonly Batch[]>) =>
  fc.record({
    group: batches,
    restarts: fc.boolean(),
    ends: fc.constantFrom('no' as const, 'rotate' as const, 'rest' as const, 'rest after restart' as const),
    steps: fc.nat(3),
  });

interface Happening {
  readonly group: readonly Batch[];
  readonly restarts: boolean;
  /** How the epoch ends. */
  readonly ends: 'no' | 'rotate' | 'rest' | 'rest after restart';
  readonly steps: number;
}
type Question = typeof question extends fc.Arbitrary<infer Q> ? Q : never;

/** The same batches with profiles that came as files. */
function reread<Form>(batches: readonly Batch[], read: (file: Uint8Array, index: number) => DecodeResult<Form>) {
  return batches.map((one): Batch<Form> => {
    const entries = one.entries.map((posted, i) => {
      const decoded = read(encodeProfile(posted.profile), i);
      if (!decoded.ok) throw new Error(decoded.error.message);
      return { ...posted, profile: decoded.profile };
    });
    return { ...one, entries };
  });
}

/** Some with their stacks as they come, some with a tree. */
function append(writer: EmbeddedWriter, batches: readonly Batch[], pool: StringPool) {
  return writer.append(reread(batches, (file, i) => decodePooled(file, i % 3 === 1 ? { maxPathFrames: 3 } : {}, pool)));
}

/** Trees of the index with a function in them: values are told by counts, or have columns of their own. */
const trees = { counted: 0, apart: 0 };

async function checkStore(happenings: readonly Happening[], asked: readonly Question[]): Promise<void> {
  const dataDir = mkdtempSync(join(tmpdir(), 'everflame-storage-'));
  const memory = new MemoryStorage();
  const pool = new StringPool();
  let writer = new EmbeddedWriter(dataDir, baseMs, { profiles: 5 });
  const maintenance = new Maintenance(dataDir);
  // Open before the first profile: it has to follow what the writer adds.
  const follower = new EmbeddedReader(dataDir);
  try {
    for (const { group, restarts, ends, steps } of happenings) {
      const files = reread(group, (file) => decodeProfile(file));
      expect(await append(writer, files, pool)).toEqual(await memory.append(files));
      if (ends === 'rotate') writer.rotate();
      if (ends === 'rest after restart') {
        await writer.close();
        writer = new EmbeddedWriter(dataDir, baseMs, { profiles: 5 });
      }
      if (ends.startsWith('rest')) expect(writer.rest()).toBe(true);
      for (let step = 0; step < steps; step++) maintenance.step(baseMs, true);
      expect(await answers(follower, asked)).toEqual(await answers(memory, asked));
      await checkTrees(follower, asked);
      if (!restarts) continue;
      await writer.close();
      writer = new EmbeddedWriter(dataDir, baseMs, { profiles: 5 });
    }
    writer.rotate();
    while (maintenance.step(baseMs, true));
    const expected = await answers(memory, asked);
    expect(await answers(follower, asked)).toEqual(expected);
    await checkTrees(follower, asked);
    const fresh = new EmbeddedReader(dataDir);
    expect(await answers(fresh, asked)).toEqual(expected);
    await checkTrees(fresh, asked);
    await fresh.close();
  } finally {
    await follower.close();
    maintenance.close();
    await writer.close();
    rmSync(dataDir, { recursive: true });
  }
}

const many = (batches: fc.Arbitrary<readonly Batch[]>, maxLength: number) =>
  fc.asyncProperty(
    fc.array(happeningOf(batches), { maxLength }),
    fc.array(question, { minLength: 1, maxLength: 5 }),
    checkStore,
  );

const kinds = [
  ['any profiles', false],
  ['profiles as samplers make them', true],
] as const;

test.each(kinds)(
  'the embedded store answers of %s what the reference answers: after late ones, restarts, in blocks and in merged ones',
  async (_, isPlain) => {
    const batches = fc.array(batchOf(fc.array(entryOf(isPlain), { maxLength: 4 })), { minLength: 1, maxLength: 3 });
    await fc.assert(many(batches, 6), { numRuns: 60 });
  },
  120_000,
);

test.each(kinds)(
  'rollups are the sums of %s',
  async (_, isPlain) => {
    await fc.assert(many(fc.tuple(denseBatchOf(isPlain)), 3), { numRuns: 30 });
  },
  120_000,
);

test('trees asked for above were answered by the index of trees, with and without values of their own', () => {
  expect(Math.min(trees.counted, trees.apart)).toBeGreaterThan(5);
});
