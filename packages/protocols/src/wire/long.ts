import protobuf from 'protobufjs/minimal.js';

/** What protobufjs makes of a 64-bit field: two signed 32-bit halves (the part of long.js's class that is relied on). */
export interface Long {
  readonly low: number;
  readonly high: number;
  readonly unsigned: boolean;
}

// Without long.js in a bundle, protobufjs reads 64-bit fields as rounded numbers: better no start than wrong values.
if ((protobuf.util as { Long?: unknown }).Long === null) {
  throw new Error('protobufjs was loaded without long.js: 64-bit fields would be rounded. Add `long` to the bundle.');
}

/** Exact. A missing field (null, undefined) is 0, as proto3 says; a number is one that protobufjs set as a default. */
export function int64ToBigInt(value: Long | number | null | undefined): bigint {
  if (value === null || value === undefined) return 0n;
  if (typeof value === 'number') return BigInt(value);
  return (BigInt(value.high) << 32n) | BigInt(value.low >>> 0);
}

/** As `int64ToBigInt`, for uint64: 0 to 2^64 − 1. */
export function uint64ToBigInt(value: Long | number | null | undefined): bigint {
  return BigInt.asUintN(64, int64ToBigInt(value));
}

/** For an encoder. Throws a RangeError where `value` does not fit into an int64. */
export function bigIntToInt64(value: bigint): Long {
  if (BigInt.asIntN(64, value) !== value) throw new RangeError(`${value} does not fit into an int64`);
  return { low: Number(BigInt.asIntN(32, value)), high: Number(BigInt.asIntN(32, value >> 32n)), unsigned: false };
}

/** For an encoder. Throws a RangeError where `value` does not fit into a uint64. */
export function bigIntToUint64(value: bigint): Long {
  if (BigInt.asUintN(64, value) !== value) throw new RangeError(`${value} does not fit into a uint64`);
  return { low: Number(BigInt.asIntN(32, value)), high: Number(BigInt.asIntN(32, value >> 32n)), unsigned: true };
}
