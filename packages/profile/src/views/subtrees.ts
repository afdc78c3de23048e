import type { TreeShape } from './tree.ts';

/** How many nodes each subtree has, its own root included: in depth-first order they are the nodes from that root on. */
export function subtreeSizes({ parent }: Pick<TreeShape, 'parent'>): Uint32Array {
  const sizes = new Uint32Array(parent.length).fill(1);
  for (let node = parent.length - 1; node > 0; node--) {
    const up = parent[node] ?? 0;
    sizes[up] = (sizes[up] ?? 0) + (sizes[node] ?? 0);
  }
  return sizes;
}

/** Tells of nodes that are gone through in depth-first order which are not below another one with the same key. */
export class Outermost {
  readonly #sizes: Uint32Array;
  /** By key: the node behind the last subtree that began with it. */
  readonly #ends: Uint32Array;

  /** Keys are below `keys`. */
  constructor(sizes: Uint32Array, keys: number) {
    this.#sizes = sizes;
    this.#ends = new Uint32Array(keys);
  }

  isNext(key: number, node: number): boolean {
    if (node < (this.#ends[key] ?? 0)) return false;
    this.#ends[key] = node + (this.#sizes[node] ?? 0);
    return true;
  }
}
