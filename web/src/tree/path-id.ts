import type { TreeShape } from '../data/tree-columns.ts';

/**
 * Names for places in a tree that survive a reload with newer data: a 64-bit hash of the function names from the root,
 * two FNV-1a lanes chained from parent to child. Short enough for a URL where the path itself is not.
 */
export class PathIds {
  readonly #high: Uint32Array;
  readonly #low: Uint32Array;

  constructor(tree: TreeShape) {
    this.#high = new Uint32Array(tree.length);
    this.#low = new Uint32Array(tree.length);
    const { name } = tree.frames;
    const frameHigh = Uint32Array.from(name, (text) => hashText(text, 0x811c9dc5));
    const frameLow = Uint32Array.from(name, (text) => hashText(text, 0x9747b28c));
    for (let node = 1; node < tree.length; node++) {
      const up = tree.parent[node] ?? 0;
      const frame = tree.frame[node] ?? 0;
      this.#high[node] = chain(this.#high[up] ?? 0, frameHigh[frame] ?? 0);
      this.#low[node] = chain((this.#low[up] ?? 0) ^ 0x5bd1e995, frameLow[frame] ?? 0);
    }
  }

  idOf(node: number): string {
    const hex = (value: number | undefined) => (value ?? 0).toString(16).padStart(8, '0');
    return hex(this.#high[node]) + hex(this.#low[node]);
  }

  /** Null when nothing in this tree has that path. */
  nodeOf(id: string): number | null {
    if (!/^[0-9a-f]{16}$/u.test(id)) return null;
    const high = Number.parseInt(id.slice(0, 8), 16);
    const low = Number.parseInt(id.slice(8), 16);
    for (let node = 0; node < this.#high.length; node++) {
      if (this.#high[node] === high && this.#low[node] === low) return node;
    }
    return null;
  }
}

function hashText(text: string, seed: number): number {
  let hash = seed;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}

function chain(parent: number, frame: number): number {
  let hash = Math.imul(parent ^ 0x811c9dc5, 0x01000193);
  hash = Math.imul(hash ^ (frame & 0xffff), 0x01000193);
  hash = Math.imul(hash ^ (frame >>> 16), 0x01000193);
  hash ^= hash >>> 15;
  return Math.imul(hash, 0x2c1b3c6d) >>> 0;
}
