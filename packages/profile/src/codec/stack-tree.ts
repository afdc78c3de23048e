import type { StackTable } from '../profile.ts';
import { stackColumns } from '../tables/columns.ts';
import { GrowableU32 } from '../tables/growable.ts';
import { PairTable } from '../tables/pair-table.ts';

/** Makes a tree of stacks that come one by one. */
export class StackTree {
  readonly #table: PairTable;
  /** Locations of the stack before, root first, and its rows in the table. */
  readonly #locations = new GrowableU32(64);
  readonly #rows = new GrowableU32(64);

  /** `expected`: how many frames will have a row. */
  constructor(expected: number) {
    this.#table = new PairTable(expected);
    this.#table.intern(0, 0);
  }

  /** Rows so far, the one of no stack among them. */
  get length(): number {
    return this.#table.length;
  }

  /**
   * The row of the stack of `leafFirst[from]` to `leafFirst[end - 1]`. Neighbouring samples often share their root: that part costs a comparison and no hash
   * look-up.
   */
  add(leafFirst: Uint32Array, from: number, end: number): number {
    const locations = this.#locations;
    const rows = this.#rows;
    const length = end - from;
    let depth = 0;
    const shared = Math.min(length, locations.length);
    while (depth < shared && leafFirst[end - 1 - depth] === locations.data[depth]) depth++;
    let row = depth === 0 ? 0 : rows.at(depth - 1);
    rows.length = depth;
    locations.length = depth;
    for (; depth < length; depth++) {
      const location = leafFirst[end - 1 - depth] ?? 0;
      row = this.#table.intern(row, location);
      rows.push(row);
      locations.push(location);
    }
    return row;
  }

  /** The tree; nothing can be added afterwards. */
  finish(): StackTable {
    const columns = stackColumns(this.#table);
    this.#table.discard();
    return columns;
  }
}
