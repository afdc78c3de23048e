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
  limitTree,
  StringPool,
  unsortedFunctionsOfTree,
} from '@everflame/profile';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { EmbeddedReader } from './embedded/reader.ts';
import { Maintenance } from './embedded/maintenance.ts';
import { EmbeddedWriter } from './embedded/writer.ts';
import { MemoryStorage } from './memory.ts';
import {
  baseMs,
  batchOf,
  denseBatchOf,
  entryOf,
  type Happening,
  happeningOf,
  type Question,
  question,
} from './testing/drawn-store.ts';
import {
  type Batch,
  type FunctionCounts,
  type Merged,
  type MergedDiff,
  type MergedTree,
  type Selection,
  StorageError,
  type StorageReader,
} from './storage.ts';

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
    trees.all++;
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

/** Trees of the index: all, and those with a function in them, whose values are told by counts or have columns of their own. */
const trees = { all: 0, counted: 0, apart: 0 };

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

test('most of the trees asked for above were answered by the index of trees, some with values of their own and some without', () => {
  expect(trees.all).toBeGreaterThan(100);
  expect(Math.min(trees.counted, trees.apart)).toBeGreaterThan(5);
});
