import { GrowableFloat64Array, GrowableUint32Array } from '../growable-array.ts';
import { sortedOrder } from '../sorted-order.ts';
import type { CodeRanges } from './code-ranges.ts';

/**
 * Gathers the rows of a line program and puts them into order. Within a sequence rows ascend (where they do not, as in no producer that we know, they are sorted); sequences
 * come in any order, those of removed code among them. Of several rows at one address the last holds; rows that say what the one before says are left out.
 */
export class LineRows {
  readonly #code: CodeRanges;
  readonly #addresses = new GrowableFloat64Array(256);
  /** File and line alternate. */
  readonly #fileAndLine = new GrowableUint32Array(512);
  /** First row, row after the last, and end address of each sequence. */
  readonly #sequences: { from: number; to: number; start: number; end: number }[] = [];
  #from = 0;
  #isAscending = true;

  constructor(code: CodeRanges) {
    this.#code = code;
  }

  push(address: number, file: number, line: number): void {
    const count = this.#addresses.length;
    if (count > this.#from) {
      const last = this.#addresses.last;
      if (address === last) {
        this.#fileAndLine.setLast(1, file);
        this.#fileAndLine.setLast(0, line);
        return;
      }
      if (address < last) this.#isAscending = false;
      const at = 2 * (count - 1);
      if (this.#fileAndLine.at(at) === file && this.#fileAndLine.at(at + 1) === line) return;
    }
    this.#addresses.push(address);
    this.#fileAndLine.push(file);
    this.#fileAndLine.push(line);
  }

  endSequence(end: number): void {
    const from = this.#from;
    const to = this.#addresses.length;
    if (!this.#isAscending) this.#sort(from, to);
    const start = this.#addresses.view()[from] ?? 0;
    this.#isAscending = true;
    if (to > from && end > start && this.#code.isLive(start)) {
      this.#sequences.push({ from, to, start, end });
      this.#from = to;
    } else {
      this.#addresses.length = from;
      this.#fileAndLine.length = 2 * from;
    }
  }

  #sort(from: number, to: number): void {
    const addresses = this.#addresses.view().slice(from, to);
    const pairs = this.#fileAndLine.view().slice(2 * from, 2 * to);
    const lowest = addresses.reduce((least, each) => Math.min(least, each), Infinity);
    const order = sortedOrder(addresses.map((each) => each - lowest));
    for (const [i, item] of order.entries()) {
      this.#addresses.view()[from + i] = addresses[item] ?? 0;
      this.#fileAndLine.view()[2 * (from + i)] = pairs[2 * item] ?? 0;
      this.#fileAndLine.view()[2 * (from + i) + 1] = pairs[2 * item + 1] ?? 0;
    }
  }

  /** Rows of an unfinished sequence are left out: where the last of them ends is not known. */
  finish(): { starts: Float64Array; items: Int32Array; fileAndLine: Uint32Array } {
    const sequences = this.#sequences.sort((a, b) => a.start - b.start);
    const addresses = this.#addresses.view();
    const pairs = this.#fileAndLine.view();
    const starts = new GrowableFloat64Array(addresses.length + sequences.length + 1);
    const items = new Int32Array(addresses.length + sequences.length + 1);
    const kept = new GrowableUint32Array(2 * addresses.length + 2);
    let reached = -Infinity;
    const put = (address: number, item: number): void => {
      // A gap is replaced by what starts at its start.
      if (starts.length > 0 && address === starts.last) starts.length--;
      items[starts.length] = item;
      starts.push(address);
    };
    for (const { from, to, end } of sequences) {
      for (let row = from; row < to; row++) {
        const next = row + 1 < to ? (addresses[row + 1] ?? 0) : end;
        const start = Math.max(addresses[row] ?? 0, reached);
        // What an earlier sequence covers stays its own.
        if (Math.min(next, end) <= start) continue;
        put(start, kept.length / 2);
        kept.push(pairs[2 * row] ?? 0);
        kept.push(pairs[2 * row + 1] ?? 0);
      }
      if (end <= reached) continue;
      reached = end;
      put(end, -1);
    }
    return {
      starts: starts.view().slice(),
      items: items.slice(0, starts.length),
      fileAndLine: kept.view().slice(),
    };
  }
}
