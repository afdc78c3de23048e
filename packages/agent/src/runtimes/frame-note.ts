import { noteInterpreted, noteKindShift, noteNoPlace, notePlaceShift } from '../kernel/generated/abi.ts';

/** A note of bpf/abi.h, taken apart. */
export interface ReadNote {
  /** Address of the function's object; its lowest 3 bits are 0. */
  readonly object: number;
  /** An offset in bytecode; undefined where it is not known. */
  readonly place: number | undefined;
}

/** Is the word of a stack whose upper half is `high` a note? User addresses have 00 in the highest bits, the kernel's 11. */
export function isNote(high: number): boolean {
  const kind = high >>> (noteKindShift - 32);
  return kind === 1 || kind === 2;
}

export function readNote(low: number, high: number): ReadNote {
  const objectBits = 2 ** (notePlaceShift - 32);
  const place = (high >>> (notePlaceShift - 32)) & noteNoPlace;
  const hasPlace = high >>> (noteKindShift - 32) === noteInterpreted && place !== noteNoPlace;
  return { object: ((high % objectBits) * 2 ** 32 + low) * 8, place: hasPlace ? place : undefined };
}
