import type { LabelSetTable, StackTable } from '../profile.ts';
import type { PairTable } from './pair-table.ts';
import type { SequenceTable } from './sequence-table.ts';

/** The columns of a table that holds (parent, location) pairs, row 0 being (0, 0). */
export function stackColumns(table: PairTable): StackTable {
  const { first, second } = table.columns();
  return { length: table.length, parent: first, location: second };
}

/** Words of one label in a table of label sets: key, text, number (low, high), unit. */
export const LABEL_WORDS = 5;

/** The columns of a table of label sets, `LABEL_WORDS` words for each label. */
export function labelSetColumns(table: SequenceTable): LabelSetTable {
  const labels = table.words.length / LABEL_WORDS;
  const words = table.words.data;
  const keyString = new Uint32Array(labels);
  const textString = new Uint32Array(labels);
  const number = new Uint32Array(labels * 2);
  const unitString = new Uint32Array(labels);
  for (let i = 0; i < labels; i++) {
    const at = i * LABEL_WORDS;
    keyString[i] = words[at] ?? 0;
    textString[i] = words[at + 1] ?? 0;
    number[i * 2] = words[at + 2] ?? 0;
    number[i * 2 + 1] = words[at + 3] ?? 0;
    unitString[i] = words[at + 4] ?? 0;
  }
  const offset = table.offset.toArray().map((wordOffset) => wordOffset / LABEL_WORDS);
  return { length: table.length, offset, keyString, textString, number: new BigInt64Array(number.buffer), unitString };
}
