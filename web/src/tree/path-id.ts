import type { TreeShape } from '../data/tree-columns.ts';
import { ancestry } from './order.ts';

/**
 * Names for places in a tree that survive a reload with newer data: a 64-bit hash of the function names from the root,
 * two FNV-1a lanes chained from parent to child. Short enough for a URL where the path itself is not. An id is made of the way
 * to its node alone; only an id from elsewhere is looked for in the whole tree.
 */
export class PathIds {
  readonly #tree: TreeShape;
  readonly #frameHigh: Uint32Array;
  readonly #frameLow: Uint32Array;
  /** Those that were asked for: mostly the places that the user has been to. */
  readonly #known = new Map<string, number>();

  constructor(tree: TreeShape) {
    this.#tree = tree;
    this.#frameHigh = Uint32Array.from(tree.frames.name, (text) => hashText(text, 0x811c9dc5));
    this.#frameLow = Uint32Array.from(tree.frames.name, (text) => hashText(text, 0x9747b28c));
  }

  idOf(node: number): string {
    let high = 0;
    let low = 0;
    for (const one of ancestry(this.#tree, node).slice(1)) {
      const frame = this.#tree.frame[one] ?? 0;
      high = chain(high, this.#frameHigh[frame] ?? 0);
      low = chain(low ^ 0x5bd1e995, this.#frameLow[frame] ?? 0);
    }
    const id = high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0');
    this.#known.set(id, node);
    return id;
  }

  /** Null when nothing in this tree has that path. */
  nodeOf(id: string): number | null {
    if (!/^[0-9a-f]{16}$/u.test(id)) return null;
    const known = this.#known.get(id);
    if (known !== undefined) return known;
    const node = this.#find(Number.parseInt(id.slice(0, 8), 16), Number.parseInt(id.slice(8), 16));
    if (node !== null) this.#known.set(id, node);
    return node;
  }

  #find(wantedHigh: number, wantedLow: number): number | null {
    const { parent, frame, length } = this.#tree;
    const high = new Uint32Array(length);
    const low = new Uint32Array(length);
    if (wantedHigh === 0 && wantedLow === 0) return 0;
    for (let node = 1; node < length; node++) {
      const up = parent[node] ?? 0;
      const row = frame[node] ?? 0;
      high[node] = chain(high[up] ?? 0, this.#frameHigh[row] ?? 0);
      low[node] = chain((low[up] ?? 0) ^ 0x5bd1e995, this.#frameLow[row] ?? 0);
      if (high[node] === wantedHigh && low[node] === wantedLow) return node;
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
