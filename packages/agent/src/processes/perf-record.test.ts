import { expect, test } from 'vitest';

import { parsePerfRecord } from './perf-record.ts';

/** A record of the kernel: header, body, then its time, as `sample_id_all` asks. */
function record(type: number, misc: number, timeNs: bigint, ...body: readonly Uint8Array[]): DataView {
  const size = 8 + body.reduce((sum, part) => sum + part.length, 0) + 8;
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, type, true);
  view.setUint16(4, misc, true);
  view.setUint16(6, size, true);
  let at = 8;
  for (const part of body) {
    bytes.set(part, at);
    at += part.length;
  }
  view.setBigUint64(at, timeNs, true);
  return view;
}

const u32 = (...values: number[]): Uint8Array => new Uint8Array(Uint32Array.from(values).buffer);
const u64 = (...values: bigint[]): Uint8Array => new Uint8Array(BigUint64Array.from(values).buffer);
/** NUL-terminated and padded to 8 bytes. */
const text = (value: string): Uint8Array => {
  const bytes = Buffer.from(value);
  return Buffer.concat([bytes, Buffer.alloc(8 - (bytes.length % 8))]);
};
const parse = (view: DataView): unknown => parsePerfRecord(view, 0, view.byteLength);

test('a mapping with a build ID has neither device nor inode', () => {
  const buildId = Uint8Array.from([20, 0, 0, 0, ...Array.from({ length: 20 }, (_, i) => i * 13)]);
  const view = record(
    10,
    (1 << 14) | 2,
    77n,
    u32(5, 6),
    u64(0x7f00_0000_1000n, 0x2000n, 0x3000n),
    buildId,
    u32(5, 2),
    text('/usr/lib/libc.so.6'),
  );
  expect(parse(view)).toEqual({
    kind: 'mmap',
    timeNs: 77,
    pid: 5,
    mapping: {
      start: 0x7f00_0000_1000n,
      end: 0x7f00_0000_3000n,
      fileOffset: 0x3000n,
      path: '/usr/lib/libc.so.6',
      buildId: '000d1a2734414e5b6875828f9ca9b6c3d0ddeaf7',
      device: '',
      inode: 0n,
    },
  });
});

test('a mapping without one has device and inode as /proc prints them', () => {
  const view = record(10, 2, 1n, u32(5, 6), u64(4096n, 4096n, 0n), u32(0xfd, 1), u64(1234n, 9n), u32(5, 2), text('/a'));
  expect(parse(view)).toMatchObject({ mapping: { buildId: '', device: 'fd:01', inode: 1234n, path: '/a' } });
});

test('comm, fork, exit and lost say what they say', () => {
  expect(parse(record(3, 0, 5n, u32(10, 11), text('worker')))).toEqual({
    kind: 'comm',
    timeNs: 5,
    pid: 10,
    tid: 11,
    comm: 'worker',
    isExec: false,
  });
  expect(parse(record(3, 1 << 13, 5n, u32(10, 10), text('a prögram')))).toMatchObject({
    comm: 'a prögram',
    isExec: true,
  });
  expect(parse(record(7, 0, 6n, u32(20, 10, 21, 11), u64(6n)))).toEqual({
    kind: 'fork',
    timeNs: 6,
    pid: 20,
    parentPid: 10,
    tid: 21,
  });
  expect(parse(record(4, 0, 7n, u32(20, 10, 21, 11), u64(7n)))).toEqual({ kind: 'exit', timeNs: 7, pid: 20, tid: 21 });
  expect(parse(record(2, 0, 8n, u64(3n, 42n)))).toEqual({ kind: 'lost', timeNs: 8, lost: 42 });
  expect(parse(record(99, 0, 8n, u64(3n, 42n)))).toBeUndefined();
});

test('times beyond 32 bits are whole', () => {
  expect(parse(record(2, 0, 2n ** 50n + 1n, u64(0n, 0n)))).toMatchObject({ timeNs: 2 ** 50 + 1 });
});

test('every record that is shorter than its type says is malformed, and nothing throws', () => {
  const whole = [
    record(10, 2, 1n, u32(5, 6), u64(4096n, 4096n, 0n), u32(0xfd, 1), u64(1234n, 9n), u32(5, 2), text('/a')),
    record(3, 0, 5n, u32(10, 11), text('worker')),
    record(7, 0, 6n, u32(20, 10, 21, 11), u64(6n)),
    record(2, 0, 8n, u64(3n, 42n)),
  ];
  for (const view of whole) {
    for (let size = 8; size < view.byteLength; size += 8) {
      // A name that is cut is a shorter name; anything before it is refused.
      const allowed = size <= 16 ? ['malformed'] : ['malformed', 'mmap', 'comm'];
      expect(allowed).toContain(parsePerfRecord(view, 0, size)?.kind);
    }
  }
});
