import * as fc from 'fast-check';
import protobuf from 'protobufjs/light.js';
import { expect, test } from 'vitest';
import { WireFormatError } from '../wire/wire-format-error.ts';
import {
  decodeWriteRequest,
  encodeWriteRequest,
  type WriteRequest,
  writeRequestLimits,
  writeRequestVersion,
} from './write-request.ts';

const agent = {
  id: 'a1',
  hostName: 'höst',
  version: '0.1.0',
  kernel: '6.18.0',
  architecture: 'x86_64',
  startedUnixNanos: 1_800_000_000_123_456_789n,
};

const sample: WriteRequest = {
  batchId: Uint8Array.from({ length: 16 }, (_, index) => index),
  agent,
  profiles: [
    { labels: { __name__: 'process_cpu', service_name: 'api' }, pprof: Uint8Array.of(1, 2, 3) },
    { labels: {}, pprof: new Uint8Array() },
  ],
  counters: [
    { name: 'samples_lost', cause: 'ring_full', total: 2n ** 64n - 1n },
    { name: 'samples_lost', cause: 'copy_failed', total: 0n },
  ],
};

/** Throws on whatever is not the typed error. */
function refusal(bytes: Uint8Array): WireFormatError | undefined {
  try {
    decodeWriteRequest(bytes);
    return undefined;
  } catch (error) {
    if (error instanceof WireFormatError) return error;
    throw error;
  }
}

function errorOf(bytes: Uint8Array): WireFormatError {
  const error = refusal(bytes);
  if (error === undefined) throw new Error('was accepted');
  return error;
}

/** A message made field by field, for what the encoder refuses to make. */
function handMade(write: (writer: protobuf.Writer) => void): Uint8Array {
  const writer = protobuf.Writer.create();
  writer.uint32(10).bytes(sample.batchId);
  writer.uint32(18).fork().uint32(10).string('a1').ldelim();
  writer.uint32(40).uint32(writeRequestVersion);
  write(writer);
  return writer.finish();
}

test('what is encoded is decoded again, 64-bit values to the last digit', () => {
  expect(decodeWriteRequest(encodeWriteRequest(sample))).toEqual(sample);
});

test('any request survives a round trip', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 40 });
  const request = fc.record({
    batchId: fc.uint8Array({ minLength: 16, maxLength: 16 }),
    agent: fc.record({
      id: fc.string({ minLength: 1, maxLength: 20 }),
      hostName: text,
      version: text,
      kernel: text,
      architecture: text,
      startedUnixNanos: fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n),
    }),
    profiles: fc.array(
      fc.record({
        labels: fc.dictionary(fc.string({ minLength: 1, maxLength: 20 }), text, { noNullPrototype: true }),
        pprof: fc.uint8Array({ maxLength: 50 }),
      }),
      { maxLength: 5 },
    ),
    counters: fc.array(fc.record({ name: text, cause: text, total: fc.bigInt(0n, 2n ** 64n - 1n) }), { maxLength: 5 }),
  });
  fc.assert(
    fc.property(request, (value) => {
      expect(decodeWriteRequest(encodeWriteRequest(value))).toEqual(value);
    }),
  );
});

test('the bytes are those that the .proto file describes, judged by protobufjs reflection on other field names', () => {
  const root = protobuf.Root.fromJSON({
    nested: {
      L: { fields: { n: { type: 'string', id: 1 }, v: { type: 'string', id: 2 } } },
      P: { fields: { l: { rule: 'repeated', type: 'L', id: 1 }, p: { type: 'bytes', id: 2 } } },
      C: { fields: { n: { type: 'string', id: 1 }, c: { type: 'string', id: 2 }, t: { type: 'uint64', id: 3 } } },
      A: { fields: { id: { type: 'string', id: 1 }, started: { type: 'sint64', id: 6 } } },
      W: {
        fields: {
          b: { type: 'bytes', id: 1 },
          a: { type: 'A', id: 2 },
          p: { rule: 'repeated', type: 'P', id: 3 },
          c: { rule: 'repeated', type: 'C', id: 4 },
          v: { type: 'uint32', id: 5 },
        },
      },
    },
  });
  const type = root.lookupType('W');
  const object = type.toObject(type.decode(encodeWriteRequest(sample)), { longs: String, bytes: Array });
  expect(object).toMatchObject({
    b: [...sample.batchId],
    a: { id: 'a1', started: '1800000000123456789' },
    p: [
      {
        l: [
          { n: '__name__', v: 'process_cpu' },
          { n: 'service_name', v: 'api' },
        ],
        p: [1, 2, 3],
      },
      {},
    ],
    c: [{ n: 'samples_lost', c: 'ring_full', t: '18446744073709551615' }, { c: 'copy_failed' }],
    v: 1,
  });
});

test('every cut point of a valid message is refused or read, never thrown at as a bug', () => {
  const bytes = encodeWriteRequest(sample);
  // The version is the last field, so no shorter message is complete.
  const accepted = Array.from(bytes, (_, length) => length).filter(
    (length) => refusal(bytes.slice(0, length)) === undefined,
  );
  expect(accepted).toEqual([]);
});

test('random and mutated bytes are read or refused with the typed error', () => {
  const bytes = encodeWriteRequest(sample);
  const mutation = fc.tuple(fc.nat(bytes.length - 1), fc.nat(255));
  const mutated = fc.array(mutation, { minLength: 1, maxLength: 8 }).map((changes) => {
    const copy = bytes.slice();
    for (const [at, value] of changes) copy[at] = value;
    return copy;
  });
  const property = fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), mutated), (input) => {
    refusal(input);
  });
  expect(() => fc.assert(property, { numRuns: 5_000 })).not.toThrow();
});

test('a newer version is refused in words, and so is none', () => {
  const newer = protobuf.Writer.create();
  newer.uint32(10).bytes(sample.batchId).uint32(18).fork().uint32(10).string('a1').ldelim().uint32(40).uint32(2);
  const error = errorOf(newer.finish());
  expect(error.code).toBe('unsupported_version');
  expect(error.message).toBe(
    'the agent sent format version 2, this server reads version 1: update the server before its agents',
  );
  expect(errorOf(new Uint8Array()).code).toBe('unsupported_version');
});

test('a flood of empty messages is refused before anything is made of it', () => {
  const flood = new Uint8Array(2 * 8_000_000);
  for (let at = 0; at < flood.length; at += 2) flood[at] = 26;
  const before = process.memoryUsage().heapUsed;
  const error = errorOf(flood);
  expect(error.code).toBe('too_large');
  expect(error.field).toBe(`profiles[${writeRequestLimits.profiles}]`);
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(50e6);
});

test('limits name the field that breaks them', () => {
  const labels = handMade((writer) => {
    writer.uint32(26).fork();
    for (let index = 0; index <= writeRequestLimits.labelsPerProfile; index++) {
      writer.uint32(10).fork().uint32(10).string(`l${index}`).ldelim();
    }
    writer.ldelim();
  });
  expect(errorOf(labels)).toMatchObject({ code: 'too_large', field: 'profiles[0].labels[64]' });

  const long = { ...sample, profiles: [{ labels: { a: 'x'.repeat(4_097) }, pprof: new Uint8Array() }] };
  expect(errorOf(encodeWriteRequest(long))).toMatchObject({ code: 'too_large', field: 'profiles[0].labels[0].value' });
});

test('rules of fields are checked: id of the batch, agent, doubled and unnamed labels, UTF-8', () => {
  expect(errorOf(encodeWriteRequest({ ...sample, batchId: new Uint8Array(15) })).field).toBe('batch_id');
  expect(errorOf(encodeWriteRequest({ ...sample, agent: { ...agent, id: '' } })).field).toBe('agent.id');
  const label = (writer: protobuf.Writer, name: string) => writer.uint32(10).fork().uint32(10).string(name).ldelim();
  const doubled = handMade((writer) => label(label(writer.uint32(26).fork(), 'a'), 'a').ldelim());
  expect(errorOf(doubled)).toMatchObject({ code: 'invalid', field: 'profiles[0].labels' });
  const unnamed = handMade((writer) => label(writer.uint32(26).fork(), '').ldelim());
  expect(errorOf(unnamed).message).toBe('a label has no name');
  const badText = handMade((writer) => writer.uint32(34).fork().uint32(10).bytes(Uint8Array.of(0xff)).ldelim());
  expect(errorOf(badText).code).toBe('malformed');
});

test('a label named __proto__ is a label, and unknown fields are skipped', () => {
  const bytes = handMade((writer) => {
    writer.uint32(26).fork();
    writer.uint32(10).fork().uint32(10).string('__proto__').uint32(18).string('x').ldelim();
    writer.ldelim();
    writer.uint32((99 << 3) | 2).bytes(Uint8Array.of(1, 2, 3));
  });
  const labels = decodeWriteRequest(bytes).profiles[0]?.labels ?? {};
  expect(Object.entries(labels)).toEqual([['__proto__', 'x']]);
  expect(Object.getPrototypeOf(labels)).toBe(Object.prototype);
});

test('64-bit values that do not fit are refused by the encoder', () => {
  const counters = [{ name: 'n', cause: 'c', total: 2n ** 64n }];
  expect(() => encodeWriteRequest({ ...sample, counters })).toThrow(RangeError);
});
