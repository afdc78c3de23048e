import type { StackTable } from '@everflame/profile';
import { type Dictionary, stackWords } from './dictionary.ts';
import type { RowWriter } from './row-writer.ts';
import { NodeTable } from './tree/node-table.ts';

/** Joins the stacks of several dictionaries into one table. */
export class StackMerger {
  readonly #table = new NodeTable();

  /** The row of each stack of the dictionary that is marked, and of its callers. */
  add({ stacks }: Dictionary, isMarked: Uint8Array, writer: RowWriter): Uint32Array {
    const { words, length } = stacks;
    let count = 0;
    for (let stack = length - 1; stack > 0; stack--) {
      if (isMarked[stack] !== 1) continue;
      isMarked[words[stack * stackWords.count + stackWords.parent] ?? 0] = 1;
      count++;
    }
    if (this.#table.length === 1) this.#table.reserve(count);
    const rows = new Uint32Array(length);
    for (let stack = 1; stack < length; stack++) {
      if (isMarked[stack] !== 1) continue;
      const parent = rows[words[stack * stackWords.count + stackWords.parent] ?? 0] ?? 0;
      rows[stack] = this.#table.child(
        parent,
        writer.location(words[stack * stackWords.count + stackWords.location] ?? 0),
      );
    }
    return rows;
  }

  table(): StackTable {
    const { length, pairs } = this.#table;
    const parent = new Uint32Array(length);
    const location = new Uint32Array(length);
    for (let row = 1; row < length; row++) {
      parent[row] = pairs[row * 2] ?? 0;
      location[row] = pairs[row * 2 + 1] ?? 0;
    }
    return { length, parent, location };
  }
}
