// Seeded per process: what a hostile profile would need to make every entry collide cannot be known beforehand. Row
// numbers never depend on it, since rows are numbered in the order of their first sight.
const SEED = (Math.random() * 0x1_0000_0000) >>> 0;

/** Begins a hash over 32-bit words. */
export function hashStart(length: number): number {
  return Math.imul(length ^ SEED, 0x9e37_79b1);
}

/** Adds one word (the round of MurmurHash3 x86_32, Austin Appleby, public domain). */
export function hashWord(hash: number, word: number): number {
  const mixed = Math.imul(word, 0xcc9e_2d51);
  const turned = hash ^ Math.imul((mixed << 15) | (mixed >>> 17), 0x1b87_3593);
  return (Math.imul((turned << 13) | (turned >>> 19), 5) + 0xe654_6b64) | 0;
}

/** Ends a hash: 32 unsigned bits, all of which depend on all input. */
export function hashEnd(hash: number): number {
  let h = hash;
  h ^= h >>> 16;
  h = Math.imul(h, 0x85eb_ca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2_ae35);
  h ^= h >>> 16;
  return h >>> 0;
}
