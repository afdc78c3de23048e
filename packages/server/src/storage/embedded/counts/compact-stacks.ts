import type { Dictionary } from '../dictionary.ts';
import { Marks } from '../tree/marks.ts';

/** Some stacks of a dictionary and their callers, numbered anew in the same order. */
export interface CompactStacks {
  readonly length: number;
  /** Caller and location of each, side by side, as in the dictionary. Number 0 is the empty stack. */
  readonly words: Uint32Array;
  /** The number here of each stack that was asked for, in the order asked. */
  readonly numbers: Uint32Array;
}

/** An epoch has the stacks of all services: what is counted of one needs a fraction of them. */
export function compactStacks({ stacks }: Dictionary, wanted: Uint32Array): CompactStacks {
  const marks = new Marks();
  marks.reserve(stacks.length);
  for (const stack of wanted) if (stack > 0) marks.add(stack);
  marks.addCallers(stacks.words);
  const rows = marks.rows();
  const numberOf = new Uint32Array(stacks.length);
  const words = new Uint32Array((rows.length + 1) * 2);
  for (let i = 0; i < rows.length; i++) {
    const stack = rows[i] ?? 0;
    numberOf[stack] = i + 1;
    words[i * 2 + 2] = numberOf[stacks.words[stack * 2] ?? 0] ?? 0;
    words[i * 2 + 3] = stacks.words[stack * 2 + 1] ?? 0;
  }
  return { length: rows.length + 1, words, numbers: wanted.map((stack) => numberOf[stack] ?? 0) };
}
