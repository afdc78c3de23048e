/** Builds protobuf messages by hand, for tests of readers: also those that no encoder would write. */
export type RawField = readonly number[];

/** A varint of 64 bits; negative numbers as two's complement, ten bytes. */
export function rawVarint(value: bigint | number): number[] {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return bytes;
}

/** A field of wire type 0. */
export function rawInt(field: number, value: bigint | number): RawField {
  return [...rawVarint((BigInt(field) << 3n) | 0n), ...rawVarint(value)];
}

/** A field of wire type 2. */
export function rawBytes(field: number, content: string | readonly number[]): RawField {
  const bytes = typeof content === 'string' ? [...new TextEncoder().encode(content)] : content;
  return [...rawVarint((BigInt(field) << 3n) | 2n), ...rawVarint(bytes.length), ...bytes];
}

/** A field that holds a message of these fields. */
export function rawMessage(field: number, ...fields: readonly RawField[]): RawField {
  return rawBytes(field, fields.flat());
}

/** A packed field. */
export function rawPacked(field: number, ...values: readonly (bigint | number)[]): RawField {
  return rawBytes(field, values.flatMap(rawVarint));
}

/** The bytes of a whole message. */
export function rawFile(...fields: readonly RawField[]): Uint8Array {
  return Uint8Array.from(fields.flat());
}
