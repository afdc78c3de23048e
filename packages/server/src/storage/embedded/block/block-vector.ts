/**
 * One profile's samples, or a rollup's, in a block:
 *
 *     rows                      varint
 *     leaves                    varint difference to the row before, each
 *     one label set?            1: all rows have the first; 0: varint index into the profile's list, each
 *     columns, each             0, then zigzag each; or 1, then the zigzag factor by which column 0 is multiplied
 *
 * The numbers of leaves are given by falling frequency within the part, so that differences are small.
 */
import type { ByteReader, ByteWriter } from '../bytes.ts';
import type { Vector } from '../vector-scratch.ts';

/** Rows must be in order of (stack, set). */
export function writeBlockVector(vector: Vector, out: ByteWriter): void {
  const { rows, stacks, sets, columns, words, capacity } = vector;
  out.varint(rows);
  let previous = 0;
  for (let i = 0; i < rows; i++) {
    const stack = stacks[i] ?? 0;
    out.varint(stack - previous);
    previous = stack;
  }
  const isOneSet = !sets.subarray(0, rows).some((set) => set !== 0);
  out.varint(isOneSet ? 1 : 0);
  if (!isOneSet) for (let i = 0; i < rows; i++) out.varint(sets[i] ?? 0);
  for (let column = 0; column < columns; column++) {
    const factor = column === 0 || rows === 0 ? null : factorOf(vector, column);
    out.varint(factor === null ? 0 : 1);
    if (factor !== null) {
      out.bigint(BigInt(factor));
      continue;
    }
    const first = column * capacity * 2;
    for (let at = first; at < first + rows * 2; at += 2) out.zigzag(words[at] ?? 0, words[at + 1] ?? 0);
  }
}

/** The whole number by which each value of column 0 gives that of the column; null when there is none. */
function factorOf(vector: Vector, column: number): number | null {
  const first = vector.number(0, 0);
  const factor = first === 0 ? Number.NaN : vector.number(column, 0) / first;
  if (!Number.isSafeInteger(factor)) return null;
  for (let i = 0; i < vector.rows; i++) {
    const base = vector.number(0, i);
    const value = vector.number(column, i);
    if (!Number.isSafeInteger(value) || !Number.isSafeInteger(base) || base * factor !== value) return null;
  }
  return factor;
}

export function readBlockVector(input: ByteReader, columns: number, into: Vector): void {
  const rows = input.varint();
  input.expectAtLeast(rows);
  into.reset(rows, columns);
  let leaf = 0;
  for (let i = 0; i < rows; i++) {
    leaf += input.varint();
    into.stacks[i] = leaf;
  }
  const isOneSet = input.varint() === 1;
  for (let i = 0; i < rows; i++) into.sets[i] = isOneSet ? 0 : input.varint();
  for (let column = 0; column < columns; column++) {
    if (input.varint() === 0) {
      for (let i = 0; i < rows; i++) {
        input.zigzag();
        into.put(column, i, input.low, input.high);
      }
      continue;
    }
    const factor = Number(input.bigint());
    for (let i = 0; i < rows; i++) {
      const value = into.number(0, i) * factor;
      into.put(column, i, value | 0, Math.floor(value / 4_294_967_296));
    }
  }
}
