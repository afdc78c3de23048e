import { GrowableUint32Array } from '../growable-array.ts';
import { unwindKindExt, unwindKindInvalid, unwindPageShift } from './generated/unwind-abi.ts';

const pageMask = 2 ** unwindPageShift - 1;

/**
 * Puts rows into pages. Each page begins with a copy of the row in force, so that it is searched by itself; a row equal to the one
 * before is left out.
 */
export class RowWriter {
  readonly #pageCount: number;
  /** Two words a row: pc_low | rule << 16, operand. */
  readonly #rows = new GrowableUint32Array(4096);
  readonly #firstRows: Uint32Array;
  #page = -1;
  #rule = unwindKindInvalid;
  #operand = 0;

  constructor(pageCount: number) {
    this.#pageCount = pageCount;
    this.#firstRows = new Uint32Array(pageCount + 1);
  }

  get rowCount(): number {
    return this.#rows.length / 2;
  }

  /** From `address` (bytes from the table's base; never less than before) on, `rule` and `operand` hold. */
  add(address: number, rule: number, operand: number): void {
    if (rule === this.#rule && operand === this.#operand) return;
    const page = address >>> unwindPageShift;
    const low = address & pageMask;
    if (page >= this.#pageCount) return;
    if (page !== this.#page) {
      this.#openPages(page);
      // The copy that opens the page would hold for no byte of it.
      if (low === 0) this.#rows.length -= 2;
    } else if ((this.#rows.at(this.#rows.length - 2) & 0xffff) === low) {
      this.#rows.length -= 2;
    }
    this.#rule = rule;
    this.#operand = operand;
    this.#push(low);
  }

  #openPages(last: number): void {
    while (this.#page < last) {
      this.#page++;
      this.#firstRows[this.#page] = this.rowCount;
      this.#push(0);
    }
  }

  #push(low: number): void {
    this.#rows.push((low | (this.#rule << 16)) >>> 0);
    this.#rows.push(this.#operand);
  }

  /** The elements of the table: page index, rows, extensions. Ends the writing. */
  finish(extensions: readonly number[]): Uint32Array<ArrayBuffer> {
    this.#openPages(this.#pageCount - 1);
    this.#firstRows[this.#pageCount] = this.rowCount;
    const rows = this.#rows.view();
    const rowsAt = this.#pageCount * 2;
    const words = new Uint32Array(rowsAt + rows.length + extensions.length);
    for (let page = 0; page < this.#pageCount; page++) {
      const first = this.#firstRows[page] ?? 0;
      words[page * 2] = this.#pageCount + first;
      words[page * 2 + 1] = (this.#firstRows[page + 1] ?? 0) - first;
    }
    words.set(rows, rowsAt);
    words.set(extensions, rowsAt + rows.length);
    const extensionsAt = this.#pageCount + rows.length / 2;
    if (extensions.length > 0) {
      for (let at = rowsAt; at < rowsAt + rows.length; at += 2) {
        if ((((words[at] ?? 0) >>> 16) & 0xf) === unwindKindExt) words[at + 1] = (words[at + 1] ?? 0) + extensionsAt;
      }
    }
    return words;
  }
}
