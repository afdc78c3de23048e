/** A node whose frame is no function that was counted: the root, or a grouping label. */
export const NO_FUNCTION = 0xffff_ffff;

/** A merged call tree of both sides in samples. Node 0 is the root and its own parent; parents precede children. */
export interface CallTree {
  readonly parent: Uint32Array;
  readonly functionId: Uint32Array;
  /** Inclusive samples of each node. */
  readonly before: Float64Array;
  readonly after: Float64Array;
}

/** Scales that turn samples of a tree into parts of the whole service, dilution taken off the after side. */
export interface TreeScale {
  readonly before: number;
  readonly after: number;
}

/** A call tree with the change of each node and its children at hand. */
export class ChangeTree {
  readonly tree: CallTree;
  readonly delta: Float64Array;
  readonly #firstChild: Int32Array;
  readonly #nextSibling: Int32Array;
  readonly #nodesOf = new Map<number, number[]>();

  constructor(tree: CallTree, scale: TreeScale) {
    this.tree = tree;
    const length = tree.parent.length;
    this.delta = new Float64Array(length);
    this.#firstChild = new Int32Array(length).fill(-1);
    this.#nextSibling = new Int32Array(length).fill(-1);
    for (let node = length - 1; node > 0; node--) {
      const up = tree.parent[node] ?? 0;
      this.#nextSibling[node] = this.#firstChild[up] ?? -1;
      this.#firstChild[up] = node;
    }
    for (let node = 0; node < length; node++) {
      this.delta[node] = (tree.after[node] ?? 0) * scale.after - (tree.before[node] ?? 0) * scale.before;
      const id = tree.functionId[node] ?? NO_FUNCTION;
      if (id === NO_FUNCTION) continue;
      const known = this.#nodesOf.get(id);
      if (known === undefined) this.#nodesOf.set(id, [node]);
      else known.push(node);
    }
  }

  nodesOf(id: number): readonly number[] {
    return this.#nodesOf.get(id) ?? [];
  }

  *childrenOf(node: number): Generator<number> {
    for (let child = this.#firstChild[node] ?? -1; child >= 0; child = this.#nextSibling[child] ?? -1) yield child;
  }

  /**
   * Blame descent: from the node of the function that changed most in the given direction, down to the child that carries at least 0.8 of the node's
   * change, while there is one. Source: reference §4.3 (9), after FBDetect (SOSP 2024) §5.6. `null` when the function is not in the tree.
   */
  carrierOf(id: number, direction: number): number | null {
    let at = -1;
    for (const node of this.nodesOf(id)) {
      if (at < 0 || direction * (this.delta[node] ?? 0) > direction * (this.delta[at] ?? 0)) at = node;
    }
    if (at < 0) return null;
    for (;;) {
      let best = -1;
      for (const child of this.childrenOf(at)) {
        if (
          direction * (this.delta[child] ?? 0) >= CARRIES * direction * (this.delta[at] ?? 0) &&
          (this.delta[child] ?? 0) * direction > 0
        )
          best = best < 0 || direction * (this.delta[child] ?? 0) > direction * (this.delta[best] ?? 0) ? child : best;
      }
      if (best < 0 || this.tree.functionId[best] === NO_FUNCTION) return at;
      at = best;
    }
  }

  /** Function ids from the root to the node. */
  pathOf(node: number): number[] {
    const path: number[] = [];
    for (let at = node; at !== 0; at = this.tree.parent[at] ?? 0) {
      const id = this.tree.functionId[at] ?? NO_FUNCTION;
      if (id !== NO_FUNCTION) path.push(id);
    }
    return path.reverse();
  }
}

const CARRIES = 0.8;
