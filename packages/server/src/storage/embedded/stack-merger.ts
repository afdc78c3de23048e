import { discard, type StackTable } from '@everflame/profile';
import { type Dictionary, stackWords } from './dictionary.ts';
import type { RowWriter } from './row-writer.ts';
import type { Marks } from './tree/marks.ts';
import { NodeTable } from './tree/node-table.ts';

/** Joins the stacks of several dictionaries into one table. */
export class StackMerger {
  readonly #table = new NodeTable();

  /** The row of each marked stack of the dictionary, and of its callers, which are marked as well. */
  add({ stacks, locations }: Dictionary, marked: Marks, writer: RowWriter): Uint32Array {
    const { words, length } = stacks;
    marked.addCallers(words);
    // Each location is a frame of its own.
    const starts = new Uint32Array(locations.length);
    const ends = new Uint32Array(locations.length);
    const frames = new Uint32Array(locations.length);
    for (let location = 0; location < locations.length; location++) {
      starts[location] = location;
      ends[location] = location + 1;
    }
    for (const stack of marked.rows()) {
      const location = words[stack * stackWords.count + stackWords.location] ?? 0;
      frames[location] = writer.location(location);
    }
    const rows = new Uint32Array(length);
    this.#table.follow({ words, first: 1, end: length, starts, ends, frames, wanted: marked }, rows);
    discard(starts, ends, frames);
    return rows;
  }

  /** The table; nothing can be added afterwards. */
  finish(): StackTable {
    const { length, pairs } = this.#table;
    this.#table.discardIndex();
    const parent = new Uint32Array(length);
    const location = new Uint32Array(length);
    for (let row = 1; row < length; row++) {
      parent[row] = pairs[row * 2] ?? 0;
      location[row] = pairs[row * 2 + 1] ?? 0;
    }
    this.#table.discard();
    return { length, parent, location };
  }
}
