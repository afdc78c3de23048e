import type { Profile } from '../profile.ts';
import { Int64Column } from '../tables/int64-column.ts';
import { dropUninteresting } from './drop-frames.ts';
import { ExactSums, sumsAreSmall } from './exact-sums.ts';
import { FrameTable } from './frame-table.ts';
import { framesOfLocation } from './location-frames.ts';
import { type Tree, TreeNodes } from './tree.ts';

export interface TreeOptions {
  /** A sample label: its values become the root's children, kind `group`, `(none)` for samples without it. */
  readonly groupBy?: string;
  /** Which samples count, by the row of their label set. It is asked once for each row. */
  readonly filter?: (labelSet: number) => boolean;
  /** Each line of a function is a frame of its own, see `framesOfLocation`. Default: no. */
  readonly byLine?: boolean;
}

/** The group of samples that do not have the label. */
export const NO_GROUP = '(none)';

/**
 * The merged call tree of one sample type. Inlined lines are frames of their own. A sample with the value 0 is left out,
 * as in `go tool pprof`, and so are the frames that the profile itself calls uninteresting (`dropFrames`). `typeIndex` is a row of `profile.sampleTypes`; a RangeError when it is none. Throws a
 * `ProfileFailure` with the code `overflow` when a sum does not fit int64.
 */
export function buildTree(source: Profile, typeIndex: number, options: TreeOptions = {}): Tree {
  const profile = dropUninteresting(source);
  const typeCount = profile.sampleTypes.length;
  if (!Number.isInteger(typeIndex) || typeIndex < 0 || typeIndex >= typeCount) {
    throw new RangeError(`Sample type ${typeIndex} is not one of the ${typeCount}.`);
  }
  const { samples } = profile;
  const grower = new TreeGrower(profile, options.byLine === true);
  const isWanted = remembered(profile.labelSets.length, options.filter ?? (() => true));
  const groupOf = options.groupBy === undefined ? () => 0 : grower.groups(options.groupBy);
  const nodes = new Uint32Array(samples.length);
  const wanted: number[] = [];
  for (let i = 0; i < samples.length; i++) {
    const labelSet = samples.labelSet[i] ?? 0;
    if (samples.values[i * typeCount + typeIndex] === 0n || !isWanted(labelSet)) continue;
    wanted.push(i);
  }
  if (options.groupBy === undefined) grower.growAll(samples.stack, wanted);
  for (const i of wanted) nodes[i] = grower.node(groupOf(samples.labelSet[i] ?? 0), samples.stack[i] ?? 0);

  const values = new Int64Column(samples.values);
  const isSmall = sumsAreSmall(samples.values, typeIndex, typeCount);
  const length = grower.nodes.length;
  const self = new ExactSums(length, isSmall);
  const total = new ExactSums(length, isSmall);
  const selfSamples = new Float64Array(length);
  const sampleCounts = new Float64Array(length);
  for (const i of wanted) {
    const node = nodes[i] ?? 0;
    self.add(node, values, i * typeCount + typeIndex);
    selfSamples[node] = (selfSamples[node] ?? 0) + (samples.count[i] ?? 0);
  }
  // Children were made after their parents: from the back, each total is complete before it goes up.
  for (let node = length - 1; node >= 0; node--) {
    total.addFrom(node, self, node);
    sampleCounts[node] = (sampleCounts[node] ?? 0) + (selfSamples[node] ?? 0);
    if (node === 0) break;
    const parent = grower.nodes.parentOf(node);
    total.addFrom(parent, total, node);
    sampleCounts[parent] = (sampleCounts[parent] ?? 0) + (sampleCounts[node] ?? 0);
  }

  const { order, shape } = grower.nodes.sorted(grower.frames.columns());
  return {
    ...shape,
    total: total.toColumn(order),
    self: self.toColumn(order),
    samples: reordered(sampleCounts, order),
    selfSamples: reordered(selfSamples, order),
  };
}

function reordered(column: Float64Array, order: Uint32Array): Float64Array {
  const result = new Float64Array(order.length);
  for (let i = 0; i < order.length; i++) result[i] = column[order[i] ?? 0] ?? 0;
  return result;
}

/** From stacks of a profile to nodes. */
class TreeGrower {
  readonly frames = new FrameTable();
  readonly nodes: TreeNodes;
  readonly #profile: Profile;
  readonly #byLine: boolean;
  /** Frames of location `l`, outermost first: `#frameRows[#frameOffset[l]…]`, once `#frameOffset[l]` is set. */
  readonly #locationFrames: (readonly number[] | undefined)[] = [];
  /** For each group (0: none) the node + 1 of each stack; 0 not made yet. */
  readonly #nodeOfStack = new Map<number, Uint32Array>();
  readonly #path: number[] = [];

  constructor(profile: Profile, byLine: boolean) {
    this.#profile = profile;
    this.#byLine = byLine;
    this.nodes = new TreeNodes(profile.stacks.length);
  }

  /** Makes the nodes of these samples' stacks in one pass over the stacks, which is far kinder to caches than stack by stack. */
  growAll(stackOf: Uint32Array, samples: readonly number[]): void {
    const { parent, location, length } = this.#profile.stacks;
    const known = new Uint32Array(length);
    // First 1 marks what is used: parents come before children.
    for (const i of samples) known[stackOf[i] ?? 0] = 1;
    for (let s = length - 1; s > 0; s--) if (known[s] === 1) known[parent[s] ?? 0] = 1;
    known[0] = 1;
    for (let s = 1; s < length; s++) {
      if (known[s] === 0) continue;
      let node = (known[parent[s] ?? 0] ?? 1) - 1;
      const frames = this.#framesOf(location[s] ?? 0);
      for (let i = 0; i < frames.length; i++) node = this.nodes.child(node, frames[i] ?? 0);
      known[s] = node + 1;
    }
    this.#nodeOfStack.set(0, known);
  }

  /** Which node groups a label set by the label `key`. */
  groups(key: string): (labelSet: number) => number {
    return remembered(this.#profile.labelSets.length, (labelSet) => {
      const name = labelText(this.#profile, labelSet, key) ?? NO_GROUP;
      return this.nodes.child(0, this.frames.intern({ name, file: '', binary: '', kind: 'group' }));
    });
  }

  /** The node of a stack below `group`. */
  node(group: number, stack: number): number {
    const { parent, location } = this.#profile.stacks;
    let known = this.#nodeOfStack.get(group);
    if (known === undefined) {
      known = new Uint32Array(this.#profile.stacks.length);
      known[0] = group + 1;
      this.#nodeOfStack.set(group, known);
    }
    // Up to the nearest stack that has a node, then down again: no recursion, whatever the depth.
    const path = this.#path;
    path.length = 0;
    let at = stack;
    while (known[at] === 0) {
      path.push(at);
      at = parent[at] ?? 0;
    }
    let node = (known[at] ?? 1) - 1;
    for (let i = path.length - 1; i >= 0; i--) {
      const below = path[i] ?? 0;
      for (const frame of this.#framesOf(location[below] ?? 0)) node = this.nodes.child(node, frame);
      known[below] = node + 1;
    }
    return node;
  }

  /** Frame rows of a location, outermost first. */
  #framesOf(location: number): readonly number[] {
    const known = this.#locationFrames[location];
    if (known !== undefined) return known;
    const rows = framesOfLocation(this.#profile, location, this.#byLine)
      .map((frame) => this.frames.intern(frame))
      .toReversed();
    this.#locationFrames[location] = rows;
    return rows;
  }
}

/** The first value of a label in a set: text, or a number in decimal; undefined when the set does not have it. */
export function labelText({ labelSets, strings }: Profile, set: number, key: string): string | undefined {
  for (let i = labelSets.offset[set] ?? 0; i < (labelSets.offset[set + 1] ?? 0); i++) {
    if (strings[labelSets.keyString[i] ?? 0] !== key) continue;
    const text = labelSets.textString[i] ?? 0;
    return text === 0 ? String(labelSets.number[i] ?? 0n) : strings[text];
  }
  return undefined;
}

/** Asks once for each row. */
function remembered<T>(length: number, ask: (row: number) => T): (row: number) => T {
  const known: { readonly answer: T }[] = Array.from({ length: 0 });
  known.length = length;
  return (row) => {
    const found = known[row];
    if (found !== undefined) return found.answer;
    const answer = ask(row);
    known[row] = { answer };
    return answer;
  };
}
