import type { StackTable } from '@everflame/profile';
import { type Dictionary, stackWords } from './dictionary.ts';
import type { RowWriter } from './row-writer.ts';

/**
 * Joins the stacks of several dictionaries into one table. Within a dictionary no two stacks are the same, so a stack has to
 * be looked for only when its caller was there before this dictionary: most of them are added without a look-up.
 */
export class StackMerger {
  length = 1;
  #parents = new Uint32Array(4096);
  #locations = new Uint32Array(4096);
  /** The children of a stack as a chain, the latest first; 0 ends it. */
  #firstChild = new Uint32Array(4096);
  #nextSibling = new Uint32Array(4096);
  /** Of stacks that were looked into: child by location. */
  readonly #children = new Map<number, Map<number, number>>();

  /** The row of each stack of the dictionary that is marked, and of its callers. */
  add({ stacks }: Dictionary, isMarked: Uint8Array, writer: RowWriter): Uint32Array {
    const { words, length } = stacks;
    const parentOf = (stack: number) => words[stack * stackWords.count + stackWords.parent] ?? 0;
    for (let stack = length - 1; stack > 0; stack--) if (isMarked[stack] === 1) isMarked[parentOf(stack)] = 1;
    const before = this.length;
    const rows = new Uint32Array(length);
    for (let stack = 1; stack < length; stack++) {
      if (isMarked[stack] !== 1) continue;
      const parent = rows[parentOf(stack)] ?? 0;
      const location = writer.location(words[stack * stackWords.count + stackWords.location] ?? 0);
      rows[stack] = (parent < before ? this.#find(parent, location) : 0) || this.#append(parent, location);
    }
    return rows;
  }

  table(): StackTable {
    const { length } = this;
    return { length, parent: this.#parents.slice(0, length), location: this.#locations.slice(0, length) };
  }

  /** 0 when there is none. */
  #find(parent: number, location: number): number {
    let children = this.#children.get(parent);
    if (children === undefined) {
      children = new Map();
      this.#children.set(parent, children);
      for (let child = this.#firstChild[parent] ?? 0; child !== 0; child = this.#nextSibling[child] ?? 0) {
        children.set(this.#locations[child] ?? 0, child);
      }
    }
    return children.get(location) ?? 0;
  }

  #append(parent: number, location: number): number {
    const row = this.length++;
    if (row === this.#parents.length) {
      this.#parents = doubled(this.#parents);
      this.#locations = doubled(this.#locations);
      this.#firstChild = doubled(this.#firstChild);
      this.#nextSibling = doubled(this.#nextSibling);
    }
    this.#parents[row] = parent;
    this.#locations[row] = location;
    this.#nextSibling[row] = this.#firstChild[parent] ?? 0;
    this.#firstChild[parent] = row;
    this.#children.get(parent)?.set(location, row);
    return row;
  }
}

function doubled(old: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(old.length * 2);
  larger.set(old);
  return larger;
}
