import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { type RawField, rawBytes, rawFile, rawInt, rawMessage, rawPacked } from '../testing/raw-message.ts';
import { decodeProfile } from './decode-profile.ts';
import { encodeProfile } from './encode-profile.ts';

const strings = ['', 'cpu', 'nanoseconds', 'main', 'key', 'value'].map((text) => rawBytes(6, text));
const sampleType = rawMessage(1, rawInt(1, 1), rawInt(2, 2));
const FAR = 0xffff_ffff_ffff_fff0n;

/** One sample, main at a sparse 64-bit id. */
const whole: readonly RawField[] = [
  sampleType,
  rawMessage(2, rawPacked(1, FAR), rawPacked(2, -5), rawMessage(3, rawInt(1, 4), rawInt(2, 5))),
  rawMessage(3, rawInt(1, 99_999_999), rawInt(2, 0x40_0000)),
  rawMessage(4, rawInt(1, FAR), rawInt(2, 99_999_999), rawInt(3, FAR), rawMessage(4, rawInt(1, 7), rawInt(2, 42))),
  rawMessage(5, rawInt(1, 7), rawInt(2, 3), rawInt(3, 3)),
  ...strings,
];

function encoded(fields: readonly RawField[]): Uint8Array {
  const result = decodeProfile(rawFile(...fields));
  if (!result.ok) throw new Error(result.error.message);
  return encodeProfile(result.profile);
}

function error(...fields: readonly RawField[]): string {
  const result = decodeProfile(rawFile(...fields));
  return result.ok ? 'read' : `${result.error.code} ${result.error.field}`;
}

test('sparse 64-bit ids and negative values are read exactly', () => {
  const result = decodeProfile(rawFile(...whole));
  expect(result.ok && result.profile.locations.address[1]).toBe(FAR);
  expect(result.ok && result.profile.locations.mapping[1]).toBe(1);
  expect(result.ok && result.profile.samples.values[0]).toBe(-5n);
});

const unknownField = fc.oneof(
  fc
    .record({ field: fc.constantFrom(16, 17, 1000, 536_870_911), value: fc.bigInt(0n, 0xffff_ffff_ffff_ffffn) })
    .map(({ field, value }): RawField => rawInt(field, value)),
  fc.constantFrom<RawField>(
    rawBytes(16, 'unknown'),
    rawBytes(4000, []),
    // A fixed64, a fixed32, and a group with a group in it.
    [
      ...rawInt(20, 0)
        .slice(0, -1)
        .map((byte, i) => (i === 0 ? byte | 1 : byte)),
      1,
      2,
      3,
      4,
      5,
      6,
      7,
      8,
    ],
    [
      ...rawInt(20, 0)
        .slice(0, -1)
        .map((byte, i) => (i === 0 ? byte | 5 : byte)),
      1,
      2,
      3,
      4,
    ],
    [
      ...rawInt(20, 0)
        .slice(0, -1)
        .map((byte, i) => (i === 0 ? byte | 3 : byte)),
      0x0b,
      0x08,
      0x01,
      0x0c,
      ...rawInt(20, 0)
        .slice(0, -1)
        .map((byte, i) => (i === 0 ? byte | 4 : byte)),
    ],
  ),
);

test('fields may come in any order, with unknown ones between', () => {
  const expected = encoded(whole);
  const order = fc.shuffledSubarray(whole.slice(0, 5), { minLength: 5 });
  fc.assert(
    fc.property(
      order,
      fc.array(fc.record({ at: fc.nat(10), field: unknownField }), { maxLength: 5 }),
      (fields, extra) => {
        const all = [...strings, ...fields];
        for (const { at, field } of extra) all.splice(at, 0, field);
        expect(encoded(all)).toEqual(expected);
      },
    ),
  );
});

test('unknown fields inside of messages are passed over', () => {
  const inside = (extra: RawField): readonly RawField[] => [
    rawMessage(1, rawInt(1, 1), extra, rawInt(2, 2)),
    rawMessage(2, extra, rawPacked(1, FAR), rawPacked(2, -5), rawMessage(3, rawInt(1, 4), extra, rawInt(2, 5)), extra),
    rawMessage(3, rawInt(1, 99_999_999), rawInt(2, 0x40_0000), extra),
    rawMessage(
      4,
      extra,
      rawInt(1, FAR),
      rawInt(2, 99_999_999),
      rawInt(3, FAR),
      rawMessage(4, extra, rawInt(1, 7), rawInt(2, 42)),
    ),
    rawMessage(5, rawInt(1, 7), rawInt(2, 3), extra, rawInt(3, 3)),
    ...strings,
  ];
  fc.assert(
    fc.property(unknownField, (extra) => {
      expect(encoded(inside(extra))).toEqual(encoded(whole));
    }),
  );
});

test('repeated numbers may be packed, unpacked or mixed', () => {
  const ids = [rawInt(1, 1), rawInt(1, 2)].map((id) => rawMessage(4, id));
  const file = (...sample: readonly RawField[]): readonly RawField[] => [
    sampleType,
    sampleType,
    rawMessage(2, ...sample),
    ...ids,
    rawInt(13, 3),
    rawPacked(13, 4, 5),
    ...strings,
  ];
  const packed = encoded(file(rawPacked(1, 2, 1, 2), rawPacked(2, 7, -8)));
  expect(encoded(file(rawInt(1, 2), rawInt(2, 7), rawInt(1, 1), rawInt(1, 2), rawInt(2, -8)))).toEqual(packed);
  expect(encoded(file(rawInt(1, 2), rawPacked(1, 1, 2), rawPacked(2), rawPacked(2, 7), rawInt(2, -8)))).toEqual(packed);
});

test('of a scalar that is there twice the last counts, and messages that are there twice merge', () => {
  const result = decodeProfile(
    rawFile(...whole, rawInt(12, 5), rawInt(12, 6), rawMessage(11, rawInt(1, 1)), rawMessage(11, rawInt(2, 2))),
  );
  expect(result.ok && [result.profile.period, result.profile.periodType]).toEqual([
    6n,
    { type: 'cpu', unit: 'nanoseconds' },
  ]);
});

test('a reference that a later one replaces need not exist', () => {
  const file = (before: boolean): readonly RawField[] => {
    const wrong = (field: number): readonly number[] => (before ? rawInt(field, 77) : []);
    return [
      rawMessage(1, wrong(1), rawInt(1, 1), rawInt(2, 2)),
      rawMessage(2, rawPacked(1, 1), rawPacked(2, 1), rawMessage(3, wrong(1), rawInt(1, 4), wrong(4), rawInt(4, 0))),
      rawMessage(3, rawInt(1, 1), wrong(5), rawInt(5, 3)),
      rawMessage(4, rawInt(1, 1), wrong(2), rawInt(2, 1), rawMessage(4, wrong(1), rawInt(1, 1))),
      rawMessage(5, rawInt(1, 1), wrong(2), rawInt(2, 3)),
      ...strings,
    ];
  };
  expect(encoded(file(true))).toEqual(encoded(file(false)));
});

test('a string that is there twice is one', () => {
  const file = [sampleType, rawMessage(5, rawInt(1, 1), rawInt(2, 6), rawInt(3, 3)), ...strings, rawBytes(6, 'main')];
  const result = decodeProfile(rawFile(...file));
  expect(result.ok && result.profile.functions.nameString[1]).toBe(3);
  expect(result.ok && result.profile.strings.length).toBe(6);
});

test('text is taken as it is: byte order marks, NUL, long and wide', () => {
  const texts = ['\uFEFFmark', '\0', 'é'.repeat(1000), '😀', 'x'.repeat(100_000)];
  const result = decodeProfile(rawFile(sampleType, ...strings, ...texts.map((text) => rawBytes(6, text))));
  expect(result.ok && result.profile.strings.slice(6)).toEqual(texts);
  expect(result.ok && decodeProfile(encodeProfile(result.profile))).toEqual(result);
});

test('a stack of 100,000 frames is read and written', () => {
  const deep = Array.from({ length: 100_000 }, (_, i) => (i % 2) + 1);
  const ids = [rawMessage(4, rawInt(1, 1)), rawMessage(4, rawInt(1, 2))];
  const sample = rawMessage(2, rawPacked(1, ...deep), rawPacked(2, 1));
  const result = decodeProfile(rawFile(sampleType, sample, ...ids, ...strings));
  expect(result.ok && result.profile.stacks.length).toBe(100_001);
  expect(result.ok && decodeProfile(encodeProfile(result.profile))).toEqual(result);
});

test('what is wrong is named with its field', () => {
  const sample = (...fields: readonly RawField[]): RawField => rawMessage(2, ...fields, rawPacked(2, 1));
  const one = rawMessage(4, rawInt(1, 1));
  const cases: readonly (readonly [expected: string, fields: readonly RawField[]])[] = [
    ['no_sample_types sample_type', []],
    ['no_sample_types sample_type', [...strings]],
    ['string_table string_table', [sampleType]],
    ['string_table string_table', [sampleType, rawBytes(6, 'cpu')]],
    ['index_out_of_range sample_type[0].unit', [rawMessage(1, rawInt(2, 6)), ...strings]],
    ['index_out_of_range sample_type[0].type', [rawMessage(1, rawInt(1, -1)), ...strings]],
    ['index_out_of_range period_type.type', [sampleType, rawMessage(11, rawInt(1, 2n ** 32n)), ...strings]],
    ['index_out_of_range doc_url', [sampleType, rawInt(15, 6), ...strings]],
    ['index_out_of_range comment', [sampleType, rawPacked(13, 1, 6), ...strings]],
    ['index_out_of_range sample[1].location_id', [sampleType, sample(), sample(rawPacked(1, 1, 2)), one, ...strings]],
    ['index_out_of_range sample[0].location_id', [sampleType, sample(rawPacked(1, 0)), one, ...strings]],
    ['index_out_of_range location[0].mapping_id', [sampleType, rawMessage(4, rawInt(1, 1), rawInt(2, 9)), ...strings]],
    [
      'index_out_of_range location[0].line[1].function_id',
      [sampleType, rawMessage(4, rawInt(1, 1), rawMessage(4, rawInt(2, 1)), rawMessage(4, rawInt(1, 9))), ...strings],
    ],
    [
      'index_out_of_range sample[0].label[1].key',
      [sampleType, sample(rawMessage(3), rawMessage(3, rawInt(1, 6))), ...strings],
    ],
    ['index_out_of_range mapping[0].build_id', [sampleType, rawMessage(3, rawInt(1, 1), rawInt(6, 6)), ...strings]],
    ['index_out_of_range function[0].name', [sampleType, rawMessage(5, rawInt(1, 1), rawInt(2, 6)), ...strings]],
    ['duplicate_id location[1].id', [sampleType, one, one, ...strings]],
    [
      'duplicate_id function[1].id',
      [sampleType, rawMessage(5, rawInt(1, FAR)), rawMessage(5, rawInt(1, FAR)), ...strings],
    ],
    ['reserved_id mapping[0].id', [sampleType, rawMessage(3), ...strings]],
    ['value_count sample[0].value', [sampleType, rawMessage(2), ...strings]],
    ['value_count sample[0].value', [sampleType, rawMessage(2, rawPacked(2, 1, 2)), ...strings]],
    ['invalid_utf8 string_table', [sampleType, ...strings, rawBytes(6, [0xff, 0xfe])]],
    ['invalid_utf8 string_table', [sampleType, ...strings, rawBytes(6, [0xed, 0xa0, 0x80])]],
    ['wrong_wire_type sample', [sampleType, rawInt(2, 1)]],
    ['wrong_wire_type period', [sampleType, rawBytes(12, 'x')]],
    ['wrong_wire_type location[0].address', [sampleType, rawMessage(4, rawInt(1, 1), rawBytes(3, 'x')), ...strings]],
    ['wrong_wire_type sample[0].location_id', [sampleType, rawMessage(2, [0x0d, 0, 0, 0, 0]), ...strings]],
    ['truncated sample', [sampleType, [0x12, 0x05, 0x00]]],
    ['truncated sample[0].value', [sampleType, rawMessage(2, rawBytes(2, [0x80])), ...strings]],
    ['truncated sample', [[0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]]],
    ['truncated ', [[0x80]]],
    ['not_protobuf period', [[0x60, ...Array.from({ length: 10 }, () => 0x80), 0x01]]],
    ['not_protobuf ', [[0x00, 0x00]]],
    ['not_protobuf ', [[0x1f, 0x8b, 0x08, 0x00]]],
    ['not_protobuf ', [[0x28, 0xb5, 0x2f, 0xfd]]],
    ['not_protobuf field 20', [[0xa4, 0x01]]],
    ['not_protobuf field 20', [[0xa3, 0x01, 0x0c]]],
  ];
  expect(cases.map(([, fields]) => error(...fields))).toEqual(cases.map(([expected]) => expected));
});

test('limits refuse before anything is read', () => {
  const sample = rawMessage(2, rawPacked(1, 1, 1), rawPacked(2, 1), rawMessage(3), rawMessage(3));
  const file = rawFile(sampleType, sample, sample, rawMessage(4, rawInt(1, 1)), ...strings);
  const codes = [
    { maxSamples: 1 },
    { maxStrings: 5 },
    { maxStackDepth: 1 },
    { maxStackNodes: 1 },
    { maxLabelsPerSample: 1 },
  ].map((limits) => {
    const result = decodeProfile(file, limits);
    return result.ok ? 'read' : `${result.error.code} ${result.error.field}`;
  });
  expect(codes).toEqual([
    'too_large sample',
    'too_large string_table',
    'too_large sample[0].location_id',
    'too_large sample[0].location_id',
    'too_large sample[0].label',
  ]);
  expect(
    decodeProfile(file, { maxSamples: 2, maxStrings: 6, maxStackDepth: 2, maxStackNodes: 2, maxLabelsPerSample: 2 }).ok,
  ).toBe(true);
});

test('hostile counts cost no more than their bytes', () => {
  // A length that promises 4 GB, a million empty sample types, ids that all fall beside the dense table.
  expect(error([0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f])).toBe('truncated sample_type');
  const isRead = (fields: readonly RawField[]): boolean => decodeProfile(Uint8Array.from(fields.flat())).ok;
  const manyTypes = Array.from({ length: 200_000 }, () => rawMessage(1));
  const sparse = Array.from({ length: 100_000 }, (_, i) => rawMessage(4, rawInt(1, 2n ** 63n + BigInt(i) * 2n ** 32n)));
  const start = performance.now();
  expect(isRead([...manyTypes, ...strings])).toBe(true);
  expect(isRead([sampleType, ...sparse, ...strings])).toBe(true);
  expect(performance.now() - start).toBeLessThan(20_000);
});
