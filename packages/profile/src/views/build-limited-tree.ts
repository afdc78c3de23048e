import type { Profile } from '../profile.ts';
import { buildTree } from './build-tree.ts';
import { dropUninteresting } from './drop-frames.ts';
import { sumsAreSmall } from './exact-sums.ts';
import { FrameTable } from './frame-table.ts';
import { type LimitedTree, limitTree, REMAINDER } from './limit-tree.ts';
import { framesOfLocation } from './location-frames.ts';
import { compareText } from './tree.ts';

/**
 * What `limitTree` makes of the whole tree with `maxNodes`, without making the whole tree: from the root on, the node with the
 * greatest total is opened next, until there are enough. Nodes that are not shown cost nothing but their stacks' sums.
 * (Of functions whose name occurs with several files another file may be shown than in the whole tree.)
 */
export function buildLimitedTree(source: Profile, typeIndex: number, maxNodes: number): LimitedTree {
  const profile = dropUninteresting(source);
  const { values } = profile.samples;
  const typeCount = profile.sampleTypes.length;
  let isPlain = sumsAreSmall(values, typeIndex, typeCount);
  for (let i = typeIndex; isPlain && i < values.length; i += typeCount) isPlain = (values[i] ?? 0n) >= 0n;
  // With values below 0 a child may exceed its parent, so that the order of opening decides nothing.
  if (!isPlain) return limitTree(buildTree(source, typeIndex), { maxNodes });
  const opener = new Opener(profile, typeIndex);
  const threshold = opener.thresholdOf(maxNodes);
  return opener.tree(maxNodes, threshold);
}

/** A node, as the places in stacks that it merges: line `k` (outermost first) of the last location of stack `s`. */
interface OpenNode {
  readonly frame: number;
  readonly stacks: number[];
  readonly lines: number[];
  total: number;
  samples: number;
  /** By name; null until it is opened. */
  children: OpenNode[] | null;
}

class Opener {
  readonly #profile: Profile;
  readonly #frames = new FrameTable();
  readonly #framesOf: (readonly number[] | undefined)[] = [];
  /** By stack: what passes through it and what ends in it. */
  readonly #total: Float64Array;
  readonly #self: Float64Array;
  readonly #samples: Float64Array;
  readonly #selfSamples: Float64Array;
  readonly #firstChild: Int32Array;
  readonly #nextSibling: Int32Array;
  readonly #root: OpenNode;

  constructor(profile: Profile, typeIndex: number) {
    this.#profile = profile;
    const { samples, stacks } = profile;
    const typeCount = profile.sampleTypes.length;
    this.#self = new Float64Array(stacks.length);
    this.#selfSamples = new Float64Array(stacks.length);
    for (let i = 0; i < samples.length; i++) {
      const value = samples.values[i * typeCount + typeIndex] ?? 0n;
      if (value === 0n) continue;
      const stack = samples.stack[i] ?? 0;
      this.#self[stack] = (this.#self[stack] ?? 0) + Number(value);
      this.#selfSamples[stack] = (this.#selfSamples[stack] ?? 0) + (samples.count[i] ?? 0);
    }
    this.#total = this.#self.slice();
    this.#samples = this.#selfSamples.slice();
    this.#firstChild = new Int32Array(stacks.length).fill(-1);
    this.#nextSibling = new Int32Array(stacks.length).fill(-1);
    for (let s = stacks.length - 1; s > 0; s--) {
      if (this.#total[s] === 0) continue;
      const parent = stacks.parent[s] ?? 0;
      this.#total[parent] = (this.#total[parent] ?? 0) + (this.#total[s] ?? 0);
      this.#samples[parent] = (this.#samples[parent] ?? 0) + (this.#samples[s] ?? 0);
      this.#nextSibling[s] = this.#firstChild[parent] ?? -1;
      this.#firstChild[parent] = s;
    }
    const total = this.#total[0] ?? 0;
    this.#root = { frame: 0, stacks: [0], lines: [-1], total, samples: this.#samples[0] ?? 0, children: null };
  }

  /** The total of the last of the `maxNodes` greatest nodes; 0 when there are fewer. */
  thresholdOf(maxNodes: number): number {
    const heap = new NodeHeap();
    heap.push(this.#root);
    for (let taken = 1; ; taken++) {
      const node = heap.pop();
      if (node === undefined) return 0;
      if (taken >= maxNodes) return node.total;
      for (const child of this.#open(node)) heap.push(child);
    }
  }

  /** All nodes above the threshold, and of those at it the first ones in depth-first order, as `limitTree` takes them. */
  tree(maxNodes: number, threshold: number): LimitedTree {
    const rows: {
      readonly node: OpenNode | null;
      readonly parent: number;
      total: number;
      samples: number;
      rest: number;
    }[] = [];
    let room = maxNodes - this.#countAbove(threshold) - (this.#root.total <= threshold ? 1 : 0);
    const work: {
      readonly node: OpenNode;
      readonly row: number;
      at: number;
      total: number;
      samples: number;
      rest: number;
    }[] = [];
    const enter = (node: OpenNode, parent: number) => {
      rows.push({ node, parent, total: node.total, samples: node.samples, rest: 0 });
      work.push({ node, row: rows.length - 1, at: 0, total: 0, samples: 0, rest: 0 });
    };
    enter(this.#root, 0);
    for (let top = work.at(-1); top !== undefined; top = work.at(-1)) {
      const child = this.#open(top.node)[top.at++];
      if (child === undefined) {
        const { row: parent, total, samples, rest } = top;
        if (rest > 0) rows.push({ node: null, parent, total, samples, rest });
        work.pop();
      } else if (child.total > threshold || (child.total === threshold && --room >= 0)) {
        enter(child, top.row);
      } else {
        top.total += child.total;
        top.samples += child.samples;
        top.rest++;
      }
    }
    const more = rows.some(({ node }) => node === null)
      ? this.#frames.intern({ name: REMAINDER, file: '', binary: '', kind: 'group' })
      : 0;
    const selfOf = (column: Float64Array, node: OpenNode | null): number => {
      if (node === null) return 0;
      return node.stacks.reduce((sum, s, i) => sum + (this.#isLast(s, node.lines[i] ?? 0) ? (column[s] ?? 0) : 0), 0);
    };
    return {
      frames: this.#frames.columns(),
      parent: Uint32Array.from(rows, ({ parent }) => parent),
      frame: Uint32Array.from(rows, ({ node }) => node?.frame ?? more),
      rest: Uint32Array.from(rows, ({ rest }) => rest),
      total: BigInt64Array.from(rows, ({ total }) => BigInt(total)),
      self: BigInt64Array.from(rows, ({ node }) => BigInt(selfOf(this.#self, node))),
      samples: Float64Array.from(rows, ({ samples }) => samples),
      selfSamples: Float64Array.from(rows, ({ node }) => selfOf(this.#selfSamples, node)),
    };
  }

  /** Nodes above the threshold have been opened or are children of such ones. */
  #countAbove(threshold: number): number {
    let count = 0;
    const work = [this.#root];
    for (let node = work.pop(); node !== undefined; node = work.pop()) {
      if (node.total <= threshold) continue;
      count++;
      for (const child of this.#open(node)) work.push(child);
    }
    return count;
  }

  #open(node: OpenNode): readonly OpenNode[] {
    if (node.children !== null) return node.children;
    const { location } = this.#profile.stacks;
    const children = new Map<number, OpenNode>();
    const add = (stack: number, line: number) => {
      const frame = this.#framesAt(location[stack] ?? 0)[line] ?? 0;
      const known = children.get(frame);
      const total = this.#total[stack] ?? 0;
      const samples = this.#samples[stack] ?? 0;
      if (known === undefined)
        children.set(frame, { frame, stacks: [stack], lines: [line], total, samples, children: null });
      else {
        known.stacks.push(stack);
        known.lines.push(line);
        known.total += total;
        known.samples += samples;
      }
    };
    for (const [i, stack] of node.stacks.entries()) {
      const line = node.lines[i] ?? 0;
      if (!this.#isLast(stack, line)) add(stack, line + 1);
      else
        for (let child = this.#firstChild[stack] ?? -1; child >= 0; child = this.#nextSibling[child] ?? -1)
          add(child, 0);
    }
    const { name } = this.#frames;
    const sorted = [...children.values()].sort((a, b) => compareText(name[a.frame] ?? '', name[b.frame] ?? ''));
    node.children = sorted;
    return sorted;
  }

  /** Whether a line is the innermost one of its location; the root's is. */
  #isLast(stack: number, line: number): boolean {
    return stack === 0 || line === this.#framesAt(this.#profile.stacks.location[stack] ?? 0).length - 1;
  }

  /** Frame rows of a location, outermost first. */
  #framesAt(location: number): readonly number[] {
    const known = this.#framesOf[location];
    if (known !== undefined) return known;
    const rows = framesOfLocation(this.#profile, location)
      .map((frame) => this.#frames.intern(frame))
      .toReversed();
    this.#framesOf[location] = rows;
    return rows;
  }
}

/** A binary heap with the greatest total first. */
class NodeHeap {
  readonly #nodes: OpenNode[] = [];

  push(node: OpenNode): void {
    const nodes = this.#nodes;
    let at = nodes.push(node) - 1;
    while (at > 0) {
      const up = (at - 1) >> 1;
      const above = nodes[up];
      if (above === undefined || above.total >= node.total) break;
      nodes[at] = above;
      at = up;
    }
    nodes[at] = node;
  }

  pop(): OpenNode | undefined {
    const nodes = this.#nodes;
    const first = nodes[0];
    const last = nodes.pop();
    if (first === undefined || last === undefined || nodes.length === 0) return first;
    let at = 0;
    for (;;) {
      const left = nodes[at * 2 + 1];
      const right = nodes[at * 2 + 2];
      const isRight = right !== undefined && left !== undefined && right.total > left.total;
      const next = isRight ? right : left;
      if (next === undefined || next.total <= last.total) break;
      nodes[at] = next;
      at = at * 2 + (isRight ? 2 : 1);
    }
    nodes[at] = last;
    return first;
  }
}
