import { isDeepStrictEqual } from 'node:util';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { pprofCorpus } from '../../../../test/corpus/pprof/corpus.ts';
import { type PlainProfile, readPlain } from '../../../../test/corpus/pprof/protobufjs-pprof.ts';
import { checkValid } from '../check-valid.ts';
import type { PathProfile, Profile } from '../profile.ts';
import { decodePooled, decodeProfile } from './decode-profile.ts';
import { encodeProfile } from './encode-profile.ts';
import { StringPool } from './string-pool.ts';

const RUNS = Number(process.env['FUZZ_RUNS'] ?? 3000);

/** What a profile says, the same for both readers: everything by value, references by position. */
function meaningOf(profile: Profile | PathProfile): unknown {
  const { strings, mappings, functions, locations, labelSets, samples, sampleTypes } = profile;
  const rows = (length: number): number[] => Array.from({ length: length - 1 }, (_, i) => i + 1);
  const text = (column: Uint32Array, row: number): string | undefined => strings[column[row] ?? 0];
  return {
    types: sampleTypes.map(({ type, unit }) => [type, unit]),
    header: [
      profile.dropFrames,
      profile.keepFrames,
      profile.timeNanos,
      profile.durationNanos,
      profile.periodType.type,
      profile.periodType.unit,
      profile.period,
      profile.defaultSampleType,
      profile.docUrl,
      ...profile.comments,
    ],
    mappings: rows(mappings.length).map((m) => [
      mappings.memoryStart[m],
      mappings.memoryLimit[m],
      mappings.fileOffset[m],
      text(mappings.fileString, m),
      text(mappings.buildIdString, m),
      mappings.flags[m],
    ]),
    functions: rows(functions.length).map((f) => [
      text(functions.nameString, f),
      text(functions.systemNameString, f),
      text(functions.fileString, f),
      functions.startLine[f],
    ]),
    locations: rows(locations.length).map((l) => [
      locations.mapping[l],
      locations.address[l],
      locations.isFolded[l] === 1,
      Array.from({ length: (locations.lineOffset[l + 1] ?? 0) - (locations.lineOffset[l] ?? 0) }, (_, i) => {
        const line = (locations.lineOffset[l] ?? 0) + i;
        return [locations.lineFunction[line], locations.lineNumber[line], locations.lineColumn[line]];
      }),
    ]),
    samples: Array.from(samples.labelSet, (set, i) => {
      const stack = stackOf(profile, i);
      const first = labelSets.offset[set] ?? 0;
      const labels = Array.from({ length: (labelSets.offset[set + 1] ?? 0) - first }, (_, at) => [
        text(labelSets.keyString, first + at),
        text(labelSets.textString, first + at),
        labelSets.number[first + at],
        text(labelSets.unitString, first + at),
      ]);
      return [stack, [...samples.values.subarray(i * sampleTypes.length, (i + 1) * sampleTypes.length)], labels];
    }),
  };
}

/** Locations of a sample, leaf first. */
function stackOf(profile: Profile | PathProfile, sample: number): number[] {
  if ('paths' in profile) {
    const { offset, location } = profile.paths;
    return [...location.subarray(offset[sample], offset[sample + 1])];
  }
  const stack: number[] = [];
  for (let row = profile.samples.stack[sample] ?? 0; row !== 0; row = profile.stacks.parent[row] ?? 0)
    stack.push(profile.stacks.location[row] ?? 0);
  return stack;
}

class Refused extends Error {}

/** The same from protobufjs's reading, by the rules of the format; throws `Refused` where these are broken. */
function oracleMeaning(plain: PlainProfile): unknown {
  const strings = plain.string_table;
  const refuse = (why: string): never => {
    throw new Refused(why);
  };
  const text = (index: string): string => strings[Number(index)] ?? refuse('string');
  const idsOf = (entries: readonly { readonly id: string }[]): Map<string, number> => {
    const ids = new Map(entries.map(({ id }, i) => [id, i + 1]));
    if (ids.size !== entries.length || ids.has('0')) refuse('ids');
    return ids;
  };
  const reference = (ids: Map<string, number>, id: string): number => (id === '0' ? 0 : (ids.get(id) ?? refuse('id')));
  if (plain.sample_type.length === 0 || strings[0] !== '') refuse('header');
  const [mappings, functions, locations] = [idsOf(plain.mapping), idsOf(plain.function), idsOf(plain.location)];
  return {
    types: plain.sample_type.map(({ type, unit }) => [text(type), text(unit)]),
    header: [
      text(plain.drop_frames),
      text(plain.keep_frames),
      BigInt(plain.time_nanos),
      BigInt(plain.duration_nanos),
      text(plain.period_type?.type ?? '0'),
      text(plain.period_type?.unit ?? '0'),
      BigInt(plain.period),
      text(plain.default_sample_type),
      text(plain.doc_url),
      ...plain.comment.map(text),
    ],
    mappings: plain.mapping.map((m) => [
      BigInt(m.memory_start),
      BigInt(m.memory_limit),
      BigInt(m.file_offset),
      text(m.filename),
      text(m.build_id),
      Number(m.has_functions) +
        2 * Number(m.has_filenames) +
        4 * Number(m.has_line_numbers) +
        8 * Number(m.has_inline_frames),
    ]),
    functions: plain.function.map((f) => [text(f.name), text(f.system_name), text(f.filename), BigInt(f.start_line)]),
    locations: plain.location.map((l) => [
      reference(mappings, l.mapping_id),
      BigInt(l.address),
      l.is_folded,
      l.line.map((line) => [reference(functions, line.function_id), BigInt(line.line), BigInt(line.column)]),
    ]),
    samples: plain.sample.map((s) => {
      if (s.value.length !== plain.sample_type.length) refuse('values');
      return [
        s.location_id.map((id) => locations.get(id) ?? refuse('location')),
        s.value.map(BigInt),
        s.label.map((label) => [text(label.key), text(label.str), BigInt(label.num), text(label.num_unit)]),
      ];
    }),
  };
}

function oracle(bytes: Uint8Array): { readonly meaning: unknown } | { readonly refusal: string } {
  try {
    return { meaning: oracleMeaning(readPlain(bytes)) };
  } catch (error) {
    return { refusal: String(error) };
  }
}

/** What protobufjs lets pass and we do not. */
const STRICTER = new Set(['wrong_wire_type', 'invalid_utf8', 'not_protobuf', 'truncated']);

const pool = new StringPool();

/** Whether a reader with a pool says the same of it, with stacks as they are in the file, with a tree, and with a tree from somewhere on. */
function isPooledAlike(bytes: Uint8Array): boolean {
  const plain = decodeProfile(bytes);
  return [undefined, 0, 7].every((maxPathFrames) => {
    const pooled = decodePooled(bytes, maxPathFrames === undefined ? {} : { maxPathFrames }, pool);
    if (!plain.ok || !pooled.ok) return isDeepStrictEqual(plain, pooled);
    return isDeepStrictEqual(meaningOf(pooled.profile), meaningOf(plain.profile));
  });
}

/** `read` and `refused`: by both alike; anything else says how the two differ. */
function compare(bytes: Uint8Array): string {
  const ours = decodeProfile(bytes);
  const theirs = oracle(bytes);
  if (!isPooledAlike(bytes)) return 'read otherwise with a pool';
  if (!ours.ok) {
    const isStricter = 'refusal' in theirs || STRICTER.has(ours.error.code);
    return isStricter ? 'refused' : `refused what protobufjs reads: ${JSON.stringify(ours.error)}`;
  }
  const meaning = meaningOf(ours.profile);
  if ('refusal' in theirs) return `read what is to be refused: ${theirs.refusal}`;
  if (!isDeepStrictEqual(meaning, theirs.meaning)) return 'read otherwise than protobufjs';
  if (checkValid(ours.profile) !== null) return `read as invalid: ${checkValid(ours.profile)?.message}`;
  const again = decodeProfile(encodeProfile(ours.profile));
  if (!again.ok || !isDeepStrictEqual(meaningOf(again.profile), meaning)) return 'changed by a round trip';
  return 'read';
}

test('every file of the corpus means the same to protobufjs', () => {
  for (const { bytes } of pprofCorpus()) expect(compare(bytes)).toBe('read');
});

/** Changes of a byte string: overwrite, insert, remove, or copy a part elsewhere. */
const mutation = fc.record({
  kind: fc.constantFrom('set', 'flip', 'insert', 'remove', 'copy'),
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  length: fc.integer({ min: 1, max: 12 }),
  byte: fc.oneof(fc.constantFrom(0, 1, 2, 0x7f, 0x80, 0xff), fc.integer({ min: 0, max: 255 })),
});

function mutate(
  bytes: Uint8Array,
  changes: readonly { kind: string; at: number; length: number; byte: number }[],
): Uint8Array {
  let list = [...bytes];
  for (const { kind, at, length, byte } of changes) {
    const index = Math.floor(at * list.length);
    if (kind === 'set') list[index] = byte;
    else if (kind === 'flip') list[index] = (list[index] ?? 0) ^ (1 << (byte & 7));
    else if (kind === 'insert') list.splice(index, 0, byte);
    else if (kind === 'remove') list.splice(index, length);
    else list = [...list.slice(0, index), ...list.slice(Math.max(0, index - length))];
  }
  return Uint8Array.from(list);
}

test('damaged files are read as protobufjs reads them or refused', () => {
  const small = pprofCorpus().filter(({ bytes }) => bytes.length < 2100);
  let read = 0;
  fc.assert(
    fc.property(fc.constantFrom(...small), fc.array(mutation, { minLength: 1, maxLength: 4 }), ({ bytes }, changes) => {
      const verdict = compare(mutate(bytes, changes));
      if (verdict === 'read') read++;
      expect(verdict).toMatch(/^(?:read|refused)$/);
    }),
    { numRuns: RUNS },
  );
  // Neither all nor none: else the comparison would say nothing.
  expect(read).toBeGreaterThan(RUNS / 50);
  expect(read).toBeLessThan(RUNS * 0.9);
});

test('arbitrary bytes are never a reason to throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      expect(compare(bytes)).toMatch(/^(?:read|refused)$/);
    }),
    { numRuns: RUNS },
  );
});
