import { discard } from '@everflame/profile';
import { firstNotBelow } from '../../../first-not-below.ts';
import { hashPair } from '../word-table.ts';
import type { Marks } from './marks.ts';

/** Stacks of a dictionary whose nodes are wanted, a caller before what it calls. */
export interface StackRange {
  /** Caller's stack and location of each stack, side by side. */
  readonly words: Uint32Array;
  /** Those from `first` up to `end`; those before have their nodes. */
  readonly first: number;
  readonly end: number;
  /** The frames of location `l`, outermost first, are `frames[starts[l]]` up to `frames[ends[l]]`. */
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
  readonly frames: Uint32Array;
  /** Others are left out, but for those that have their nodes; all are wanted where it is absent. */
  readonly wanted?: Marks;
}

/** Stacks that are looked up together: what is touched for so many stays in a core's cache. */
const chunkLength = 2048;
/** Where less than this part of the stacks is wanted, these are looked up by themselves. */
const fewParts = 8;

/**
 * Nodes of call trees, interned as pairs of (caller's node, frame or location). Node 0 is the root; callers have smaller numbers. Open
 * addressing with linear probing, at most two thirds full, by a hash of the whole path that stands beside the node: 24 to 36 bytes a node.
 */
export class NodeTable {
  length = 1;
  /** Caller and frame of each node, side by side, so that a look-up finds both in one cache line. */
  pairs = new Uint32Array(2048);
  /** By node. */
  #hashes = new Uint32Array(1024);
  /** Node and hash of each slot, side by side; node 0: free. */
  #slots = new Uint32Array(8192);
  readonly #chunkHashes = new Uint32Array(chunkLength);
  readonly #found = new Uint32Array(chunkLength);

  /** The node of this frame below `parent`; made when there is none. Frames of children are above 0. */
  child(parent: number, frame: number): number {
    const { pairs } = this;
    // Most stacks end in a run of nodes that were made one after the other: no hash, no cache miss.
    const guess = parent + 1;
    if (pairs[guess * 2] === parent && pairs[guess * 2 + 1] === frame && guess < this.length) return guess;
    const slots = this.#slots;
    const mask = slots.length - 2;
    const hash = hashPair(this.#hashes[parent] ?? 0, frame);
    let slot = (hash * 2) & mask;
    for (;;) {
      const node = slots[slot] ?? 0;
      if (node === 0) break;
      if (slots[slot + 1] === hash && pairs[node * 2] === parent && pairs[node * 2 + 1] === frame) return node;
      slot = (slot + 2) & mask;
    }
    return this.#add(parent, frame, slot, hash);
  }

  /**
   * Puts the node of each stack into `nodes`. As nearly all of the time is waiting for memory, hashes are made and slots looked at for many stacks before
   * the first of them is compared: the processor waits for several at once.
   */
  follow(range: StackRange, nodes: Uint32Array): void {
    const all = range.wanted?.rows();
    const rows = all?.subarray(firstNotBelow(all, range.first), firstNotBelow(all, range.end));
    if (rows !== undefined && rows.length * fewParts < range.end - range.first) {
      this.#followRows(range, rows, nodes);
      return;
    }
    this.#reserve(rows?.length ?? range.end - range.first);
    for (let first = range.first; first < range.end; first += chunkLength)
      this.#followChunk(range, first, Math.min(range.end, first + chunkLength), nodes);
  }

  #followRows({ words, starts, ends, frames }: StackRange, rows: Uint32Array, nodes: Uint32Array): void {
    for (const stack of rows) {
      const location = words[stack * 2 + 1] ?? 0;
      const end = ends[location] ?? 0;
      let node = nodes[words[stack * 2] ?? 0] ?? 0;
      for (let at = starts[location] ?? 0; at < end; at++) node = this.child(node, frames[at] ?? 0);
      nodes[stack] = node;
    }
  }

  #followChunk(range: StackRange, first: number, end: number, nodes: Uint32Array): void {
    const { words, starts, ends, frames, wanted } = range;
    const hashes = this.#chunkHashes;
    const found = this.#found;
    for (let stack = first; stack < end; stack++) {
      const caller = words[stack * 2] ?? 0;
      const location = words[stack * 2 + 1] ?? 0;
      let hash = caller >= first ? (hashes[caller - first] ?? 0) : (this.#hashes[nodes[caller] ?? 0] ?? 0);
      for (let at = starts[location] ?? 0; at < (ends[location] ?? 0); at++) hash = hashPair(hash, frames[at] ?? 0);
      hashes[stack - first] = hash;
    }
    const slots = this.#slots;
    const mask = slots.length - 2;
    for (let i = 0; i < end - first; i++) {
      const hash = hashes[i] ?? 0;
      let slot = (hash * 2) & mask;
      while (slots[slot] !== 0 && slots[slot + 1] !== hash) slot = (slot + 2) & mask;
      found[i] = slots[slot] ?? 0;
    }
    for (let stack = first; stack < end; stack++) {
      if (wanted?.has(stack) === false) continue;
      const location = words[stack * 2 + 1] ?? 0;
      const start = starts[location] ?? 0;
      const count = (ends[location] ?? 0) - start;
      let node = nodes[words[stack * 2] ?? 0] ?? 0;
      const known = found[stack - first] ?? 0;
      const isKnown =
        count === 1 && known > 0 && this.pairs[known * 2] === node && this.pairs[known * 2 + 1] === frames[start];
      if (isKnown) node = known;
      else for (let at = start; at < start + count; at++) node = this.child(node, frames[at] ?? 0);
      nodes[stack] = node;
    }
  }

  /** Gives back what nodes are found by: only `pairs` may be used afterwards. */
  discardIndex(): void {
    discard(this.#hashes, this.#slots);
  }

  /** Gives its memory back: it must not be used afterwards. */
  discard(): void {
    this.discardIndex();
    discard(this.pairs);
  }

  /** For as many nodes more as that, the table need not grow much. */
  #reserve(more: number): void {
    const wanted = this.length + more;
    // At least twice as many: what is not written to takes no memory, and to copy all of them for each part of a store takes longer.
    if (wanted * 2 > this.pairs.length) this.#growRows(Math.max(wanted, this.pairs.length));
    let size = this.#slots.length;
    // Many of them may be here already: what is made for a few too many is twice as large.
    while (size < (this.length + more / 2) * 3) size *= 2;
    if (size > this.#slots.length) this.#rebuild(size);
  }

  #add(parent: number, frame: number, slot: number, hash: number): number {
    const node = this.length++;
    if (node * 2 === this.pairs.length) this.#growRows(node * 2);
    this.pairs[node * 2] = parent;
    this.pairs[node * 2 + 1] = frame;
    this.#hashes[node] = hash;
    this.#slots[slot] = node;
    this.#slots[slot + 1] = hash;
    if (this.length * 3 > this.#slots.length) this.#rebuild(this.#slots.length * 2);
    return node;
  }

  #growRows(rows: number): void {
    const pairs = new Uint32Array(rows * 2);
    pairs.set(this.pairs);
    discard(this.pairs);
    this.pairs = pairs;
    const hashes = new Uint32Array(rows);
    hashes.set(this.#hashes);
    discard(this.#hashes);
    this.#hashes = hashes;
  }

  #rebuild(size: number): void {
    const before = this.#slots;
    const slots = new Uint32Array(size);
    const mask = size - 2;
    // In the order of their slots: neighbours go to neighbours then, and the processor waits for memory a fraction of what the order of nodes takes.
    for (let at = 0; at < before.length; at += 2) {
      const node = before[at] ?? 0;
      if (node === 0) continue;
      const hash = before[at + 1] ?? 0;
      let slot = (hash * 2) & mask;
      while (slots[slot] !== 0) slot = (slot + 2) & mask;
      slots[slot] = node;
      slots[slot + 1] = hash;
    }
    discard(before);
    this.#slots = slots;
  }
}
