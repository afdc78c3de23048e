import { discard } from '@everflame/profile';
import { CountedSums } from './counted-sums.ts';
import { Marks } from './marks.ts';

/** For so many nodes memory is kept from question to question: 11 MB. New memory costs a question about a part of them less than is worth keeping. */
const keptNodes = 1 << 18;

/**
 * Sums by node of the index for one question after the other. Only nodes that a question touches are gone through, and made zero again: what it costs does not
 * depend on how many nodes there are.
 */
export class NodeSums {
  readonly self = new CountedSums();
  /** Self and everything below, once `addUp` has been called. */
  readonly total = new CountedSums();
  /** Room for a number by node; zeros. */
  places = new Uint32Array(0);
  #room = 0;
  readonly #marks = new Marks();

  /** Zeros for a new question. */
  clear(): void {
    if (this.#room > keptNodes) this.#forget();
    const rows = this.#marks.rows();
    this.self.clear(rows);
    this.total.clear(rows);
    const { places } = this;
    for (let i = 0; i < rows.length; i++) places[rows[i] ?? 0] = 0;
    this.#marks.clear();
  }

  /** Is the memory for nodes not kept for the next question? Then it may be given back column by column, once the last of it was read. */
  get isLarge(): boolean {
    return this.#room > keptNodes;
  }

  /** Room for so many nodes. */
  reserve(length: number): void {
    if (length <= this.#room) return;
    // Of a large index nothing is kept for the next question, so that room for what comes later is of no use.
    const room = length > keptNodes ? length : Math.ceil(length * 1.25);
    this.#room = room;
    this.self.reserve(room);
    // Nothing is in these before `addUp`.
    this.total.discard();
    this.total.reserve(room);
    discard(this.places);
    this.places = new Uint32Array(room);
    this.#marks.reserve(room);
  }

  /** Gives its memory back: it must not be used afterwards. */
  discard(): void {
    this.self.discard();
    this.total.discard();
    discard(this.places);
  }

  #forget(): void {
    this.discard();
    this.places = new Uint32Array(0);
    this.#room = 0;
    this.#marks.clear();
  }

  /** Adds what leaves have to the nodes that they are. */
  add(leaves: Uint32Array, nodes: Uint32Array, { counts, values, isApart, perCount }: CountedSums): void {
    if (leaves.length === 0) return;
    const { self } = this;
    self.expect(perCount, () => this.#marks.rows());
    const { words } = this.#marks;
    for (let i = 0; i < leaves.length; i++) {
      const leaf = leaves[i] ?? 0;
      const count = counts[leaf] ?? 0;
      const value = isApart ? (values[leaf] ?? 0) : count * perCount;
      if (value === 0) continue;
      const node = nodes[leaf] ?? 0;
      self.counts[node] = (self.counts[node] ?? 0) + count;
      if (self.isApart) self.values[node] = (self.values[node] ?? 0) + value;
      words[node >>> 5] = (words[node >>> 5] ?? 0) | (1 << (node & 31));
    }
  }

  /**
   * Fills the totals, and answers the root and the nodes with a value, ascending. `pairs`: caller and frame of each node; a caller has the smaller number, so that
   * from the back each total is complete before it goes up.
   */
  addUp(pairs: Uint32Array): Uint32Array {
    const { self, total } = this;
    this.#marks.add(0);
    total.be(self);
    this.#addUp(pairs, self.counts, total.counts);
    if (self.isApart) this.#addUp(pairs, self.values, total.values);
    return this.#marks.rows();
  }

  /** Takes these rows among its own, with nothing in them, and answers all, ascending. */
  withRows(rows: Uint32Array): Uint32Array {
    for (let i = 0; i < rows.length; i++) this.#marks.add(rows[i] ?? 0);
    return this.#marks.rows();
  }

  #addUp(pairs: Uint32Array, self: Float64Array, total: Float64Array): void {
    const { words } = this.#marks;
    for (let word = words.length - 1; word >= 0; word--) {
      for (let rest = words[word] ?? 0; rest !== 0;) {
        const bit = 31 - Math.clz32(rest);
        rest ^= 1 << bit;
        const node = word * 32 + bit;
        const sum = (total[node] ?? 0) + (self[node] ?? 0);
        total[node] = sum;
        if (node === 0) break;
        const up = pairs[node * 2] ?? 0;
        total[up] = (total[up] ?? 0) + sum;
        const mark = 1 << (up & 31);
        words[up >>> 5] = (words[up >>> 5] ?? 0) | mark;
        if (up >>> 5 === word) rest |= mark;
      }
    }
  }
}
