import type { ByteReader, ByteWriter } from '../bytes.ts';
import type { Header } from '../header.ts';
import type { ProfileRow } from '../part.ts';

/** Profiles of a series in order of time, without their samples: numbers as differences to the profile before. */
export function writeRows(rows: readonly ProfileRow[], headers: readonly Header[], out: ByteWriter): void {
  out.varint(rows.length);
  let previousId = 0;
  let previousMs = 0;
  let previousDuration = 0n;
  for (const row of rows) {
    out.bigint(BigInt(row.id - previousId));
    out.bigint(BigInt(row.timeMs - previousMs));
    out.varint(row.restNanos);
    // Modulo 2^64, as any two durations may differ by more than an int64.
    out.bigint(BigInt.asIntN(64, row.durationNanos - previousDuration));
    out.varint(headers.indexOf(row.header));
    out.varint(row.mainMapping);
    out.varint(row.labelSets.length);
    for (const set of row.labelSets) out.varint(set);
    out.varint(row.totals.length);
    out.raw(row.totals);
    previousId = row.id;
    previousMs = row.timeMs;
    previousDuration = row.durationNanos;
  }
}

export function readRows(input: ByteReader, headers: readonly Header[]): ProfileRow[] {
  const rows: ProfileRow[] = [];
  let id = 0;
  let timeMs = 0;
  let durationNanos = 0n;
  for (let rest = input.varint(); rest > 0; rest--) {
    id += smallZigzag(input);
    timeMs += smallZigzag(input);
    const restNanos = input.varint();
    durationNanos = BigInt.asIntN(64, durationNanos + input.bigint());
    const number = input.varint();
    const header = headers[number];
    if (header === undefined) throw new RangeError(`there is no header ${number}`);
    const mainMapping = input.varint();
    const setCount = input.varint();
    input.expectAtLeast(setCount);
    const labelSets = new Uint32Array(setCount);
    for (let i = 0; i < setCount; i++) labelSets[i] = input.varint();
    rows.push({
      id,
      timeMs,
      restNanos,
      durationNanos,
      header,
      mainMapping,
      labelSets,
      totals: input.raw(input.varint()),
    });
  }
  return rows;
}

function smallZigzag(input: ByteReader): number {
  input.zigzag();
  return input.high * 4_294_967_296 + (input.low >>> 0);
}
