/**
 * Nodes of call trees, interned as pairs of (caller's node, frame or location). Node 0 is the root; callers have smaller numbers. Open
 * addressing with linear probing, at most half full: 16 to 24 bytes a node.
 */
export class NodeTable {
  length = 1;
  /** Caller and frame of each node, side by side, so that a look-up finds both in one cache line. */
  pairs = new Uint32Array(2048);
  #slots = new Uint32Array(4096);

  /** The node of this frame below `parent`; made when there is none. Frames of children are above 0. */
  child(parent: number, frame: number): number {
    const slots = this.#slots;
    const { pairs } = this;
    // Most stacks end in a run of nodes that were made one after the other: no hash, no cache miss.
    const guess = parent + 1;
    if (pairs[guess * 2] === parent && pairs[guess * 2 + 1] === frame && guess < this.length) return guess;
    const mask = slots.length - 1;
    let slot = hash(parent, frame) & mask;
    for (;;) {
      const node = slots[slot] ?? 0;
      if (node === 0) break;
      if (pairs[node * 2] === parent && pairs[node * 2 + 1] === frame) return node;
      slot = (slot + 1) & mask;
    }
    return this.#add(parent, frame, slot);
  }

  /** For as many nodes more as that, the table need not grow. */
  reserve(more: number): void {
    const needed = (this.length + more) * 2;
    if (needed > this.pairs.length) {
      const larger = new Uint32Array(needed);
      larger.set(this.pairs);
      this.pairs = larger;
    }
    let size = this.#slots.length;
    while (size < needed) size *= 2;
    if (size > this.#slots.length) this.#rebuild(size);
  }

  #add(parent: number, frame: number, slot: number): number {
    const node = this.length++;
    if (node * 2 === this.pairs.length) {
      const larger = new Uint32Array(this.pairs.length * 2);
      larger.set(this.pairs);
      this.pairs = larger;
    }
    this.pairs[node * 2] = parent;
    this.pairs[node * 2 + 1] = frame;
    this.#slots[slot] = node;
    if (this.length * 2 > this.#slots.length) this.#rebuild(this.#slots.length * 2);
    return node;
  }

  #rebuild(size: number): void {
    const slots = new Uint32Array(size);
    const mask = size - 1;
    const { pairs } = this;
    for (let node = 1; node < this.length; node++) {
      let slot = hash(pairs[node * 2] ?? 0, pairs[node * 2 + 1] ?? 0) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = node;
    }
    this.#slots = slots;
  }
}

/** Murmur3's rounds (Appleby, public domain) over two words; seeded, so that collisions cannot be prepared. */
function hash(parent: number, frame: number): number {
  let h = Math.imul(parent ^ seed, 0xcc9e2d51);
  h = (h << 15) | (h >>> 17);
  h = (Math.imul(h, 0x1b873593) ^ frame) | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

const seed = crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
