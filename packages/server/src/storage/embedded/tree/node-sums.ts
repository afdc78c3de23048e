import { discard } from '@everflame/profile';
import { longer } from '../longer.ts';
import { Marks } from './marks.ts';

/** For so many nodes memory is kept from question to question: 11 MB. New memory costs a question about a part of them less than is worth keeping. */
const keptNodes = 1 << 18;

/**
 * Sums by node of the index for one question after the other. Only nodes that a question touches are gone through, and made zero again: what it costs does not
 * depend on how many nodes there are.
 */
export class NodeSums {
  self = new Float64Array(0);
  selfSamples = new Float64Array(0);
  /** Self and everything below, once `addUp` has been called. */
  total = new Float64Array(0);
  samples = new Float64Array(0);
  /** Room for a number by node; zeros. */
  places = new Uint32Array(0);
  #room = 0;
  readonly #marks = new Marks();

  /** Zeros for a new question. */
  clear(): void {
    if (this.#room > keptNodes) this.#forget();
    const { self, selfSamples, total, samples, places } = this;
    for (const node of this.#marks.rows()) {
      self[node] = 0;
      selfSamples[node] = 0;
      total[node] = 0;
      samples[node] = 0;
      places[node] = 0;
    }
    this.#marks.clear();
  }

  /** Gives back the memory of a column of a large index, of which nothing else may be asked before the next question. */
  release(column: 'self' | 'selfSamples' | 'total' | 'samples' | 'places'): void {
    if (this.#room <= keptNodes) return;
    discard(this[column]);
  }

  /** Room for so many nodes. */
  reserve(length: number): void {
    if (length <= this.#room) return;
    // Of a large index nothing is kept for the next question, so that room for what comes later is of no use.
    const room = length > keptNodes ? length : Math.ceil(length * 1.25);
    this.#room = room;
    this.self = longer(this.self, room);
    this.selfSamples = longer(this.selfSamples, room);
    // Nothing is in these before `addUp`.
    discard(this.total, this.samples, this.places);
    this.total = new Float64Array(room);
    this.samples = new Float64Array(room);
    this.places = new Uint32Array(room);
    this.#marks.reserve(room);
  }

  /** Gives its memory back: it must not be used afterwards. */
  discard(): void {
    discard(this.self, this.selfSamples, this.total, this.samples, this.places);
  }

  #forget(): void {
    this.discard();
    this.self = new Float64Array(0);
    this.selfSamples = new Float64Array(0);
    this.total = new Float64Array(0);
    this.samples = new Float64Array(0);
    this.places = new Uint32Array(0);
    this.#room = 0;
    this.#marks.clear();
  }

  /** Adds the values of leaves to the nodes that they have. */
  add(leaves: Uint32Array, nodes: Uint32Array, values: Float64Array, counts: Float64Array): void {
    const { self, selfSamples } = this;
    const { words } = this.#marks;
    for (let i = 0; i < leaves.length; i++) {
      const leaf = leaves[i] ?? 0;
      const value = values[leaf] ?? 0;
      if (value === 0) continue;
      const node = nodes[leaf] ?? 0;
      self[node] = (self[node] ?? 0) + value;
      selfSamples[node] = (selfSamples[node] ?? 0) + (counts[leaf] ?? 0);
      words[node >>> 5] = (words[node >>> 5] ?? 0) | (1 << (node & 31));
    }
  }

  /**
   * Fills the totals, and answers the root and the nodes with a value, ascending. `pairs`: caller and frame of each node; a caller has the smaller number, so that
   * from the back each total is complete before it goes up.
   */
  addUp(pairs: Uint32Array): Uint32Array {
    const { self, selfSamples, total, samples } = this;
    const marks = this.#marks;
    marks.add(0);
    const { words } = marks;
    for (let word = words.length - 1; word >= 0; word--) {
      for (let rest = words[word] ?? 0; rest !== 0;) {
        const bit = 31 - Math.clz32(rest);
        rest ^= 1 << bit;
        const node = word * 32 + bit;
        total[node] = (total[node] ?? 0) + (self[node] ?? 0);
        samples[node] = (samples[node] ?? 0) + (selfSamples[node] ?? 0);
        if (node === 0) break;
        const up = pairs[node * 2] ?? 0;
        total[up] = (total[up] ?? 0) + (total[node] ?? 0);
        samples[up] = (samples[up] ?? 0) + (samples[node] ?? 0);
        const mark = 1 << (up & 31);
        words[up >>> 5] = (words[up >>> 5] ?? 0) | mark;
        if (up >>> 5 === word) rest |= mark;
      }
    }
    return marks.rows();
  }
}
