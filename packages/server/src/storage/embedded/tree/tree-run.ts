import { counted, discard, int64sOf, type LimitedTree, type Tree } from '@everflame/profile';
import type { Selection } from '../../storage.ts';
import { countTypeIndex, type Header } from '../header.ts';
import { excluded, LabelView, type SelectedSeries } from '../label-view.ts';
import type { Part, PartSeries } from '../part.ts';
import { Vector } from '../vector-scratch.ts';
import type { LeafSums, SumColumns } from './leaf-sums.ts';
import type { NodeSums } from './node-sums.ts';
import { nthGreatest, orderNodes, type RestRows, UsedNodes } from './order-nodes.ts';
import { OwnFrames } from './own-frames.ts';
import type { FrameOrigins, PartNodes, TreeIndex } from './tree-index.ts';

/** Sums what a selection selects by node of the index: a tree without the profile that it would be made of. */
export class TreeRun {
  readonly #index: TreeIndex;
  readonly #selection: Selection;
  readonly #typeIndex: (header: Header) => number;
  readonly #labels = new LabelView([]);
  readonly #sums: LeafSums;
  readonly #vector = new Vector();
  readonly #columns = new Map<Header, SumColumns | null>();
  readonly #parts: PartNodes[] = [];
  readonly origins: FrameOrigins[] = [];
  /** What was added, by node of the index. */
  readonly nodeSums: NodeSums;
  #shape = '';
  #isSuited = true;
  profiles = 0;

  /** `sums`: one of the index's; what was in it is gone. */
  constructor(index: TreeIndex, selection: Selection, typeIndex: (header: Header) => number, sums: NodeSums) {
    this.#index = index;
    this.nodeSums = sums;
    sums.clear();
    this.#sums = index.leafSums;
    this.#selection = selection;
    this.#typeIndex = typeIndex;
  }

  /** Adds the selected series of a part. False: this question is none for the index, `MergeRun` has to answer it. */
  add(part: Part, selected: readonly { readonly series: PartSeries; readonly own: SelectedSeries }[]): boolean {
    const nodes = this.#index.of(part);
    const sums = this.#sums;
    sums.reset(nodes.prepare === null ? nodes.nodes.length : part.dictionary.stacks.length);
    let isInUse = false;
    for (const { series, own } of selected) {
      this.#selection.check?.();
      if (own.open.length === 0) this.profiles += series.sum(this.#selection, (header) => this.#of(header), sums);
      else {
        if (!isInUse) this.#labels.use(part);
        isInUse = true;
        this.#addByLabels(series, own);
      }
      if (!this.#isSuited || !sums.isPlain) return false;
    }
    const leaves = sums.touched();
    nodes.prepare?.(leaves);
    this.#parts.push(nodes);
    this.origins.push(...nodes.originsOf(leaves));
    this.nodeSums.reserve(this.#index.nodes.length);
    this.nodeSums.add(leaves, nodes.nodes, sums.sums);
    return true;
  }

  /** `maxNodes`: as `limitTree` takes it. Null: `MergeRun` has to answer. */
  finish(maxNodes?: number): { readonly tree: Tree | LimitedTree; readonly profiles: number } | null {
    if (!this.isNamedForSure) return null;
    const nodes = this.nodeSums.addUp(this.#index.nodes.pairs);
    if (!this.isExact) return null;
    const used = this.#usedNodes(nodes, maxNodes);
    const { order, rest } = orderNodes(used, this.#index.ranks(), maxNodes);
    const tree = this.#tree(used, order, rest);
    discard(order);
    return { tree, profiles: this.profiles };
  }

  /** False: what frames are called depends on what their parts are merged with. */
  get isNamedForSure(): boolean {
    return this.#parts.length < 2 || !this.#parts.some(({ isNamedByBinary }) => isNamedByBinary);
  }

  /** Of the value for each count; 0: not the same for all. */
  get perCount(): number {
    const { self } = this.nodeSums;
    // Without any sample it may be any number.
    return self.isApart ? 0 : self.perCount || 1;
  }

  /** Once `nodeSums` has added up: no sum, of which the root's are the greatest, is beyond what float64 holds. */
  get isExact(): boolean {
    const { counts, values } = this.nodeSums.total;
    const samples = counts[0] ?? 0;
    const total = this.perCount > 0 ? samples * this.perCount : (values[0] ?? 0);
    return Number.isSafeInteger(samples) && Number.isSafeInteger(total);
  }

  /** Which columns of profiles with this header are summed; null: none of them. */
  #of(header: Header): SumColumns | null {
    const known = this.#columns.get(header);
    if (known !== undefined) return known;
    const asked = this.#typeIndex(header);
    const types = header.sampleTypes.length;
    const count = countTypeIndex(header.sampleTypes);
    const columns = { asked, all: count < 0 ? types + 1 : types, count: count < 0 ? types : count };
    this.#columns.set(header, asked < 0 ? null : columns);
    if (asked < 0) return null;
    // Profiles of several shapes count in a way of their own, and frames to be dropped are named by the first of all.
    const shape = JSON.stringify(header.sampleTypes);
    if (this.#shape === '') this.#shape = shape;
    if (this.#shape !== shape || header.dropFrames !== '') this.#isSuited = false;
    return columns;
  }

  /** Series whose samples decide by their labels whether they are selected. */
  #addByLabels(series: PartSeries, own: SelectedSeries): void {
    const { fromMs, untilMs } = this.#selection;
    const vector = this.#vector;
    for (const [i, { timeMs, header, labelSets }] of series.rows().entries()) {
      if (timeMs < fromMs || timeMs >= untilMs) continue;
      const columns = this.#of(header);
      if (columns === null) continue;
      const classes = this.#labels.classes(own, labelSets.length === 0 ? new Uint32Array(1) : labelSets);
      if (classes.every((one) => one === excluded)) continue;
      this.profiles++;
      series.read(i, vector);
      for (let row = 0; row < vector.rows; row++) {
        if (classes[vector.sets[row] ?? 0] === excluded) continue;
        this.#sums.add(vector.stacks[row] ?? 0, vector.number(columns.asked, row), vector.number(columns.count, row));
      }
    }
  }

  /**
   * Of `nodes`, which have a value, callers first, all but those that are certain to be left out when there may be `maxNodes`. Column by column: those of a large index
   * are given back as soon as they are read.
   */
  #usedNodes(nodes: Uint32Array, maxNodes: number | undefined): UsedNodes {
    const { pairs } = this.#index.nodes;
    const sums = this.nodeSums;
    const { isApart } = sums.self;
    const weight = isApart ? sums.total.values : sums.total.counts;
    const samples = sums.total.counts;
    let count = nodes.length;
    let least = 0;
    if (maxNodes !== undefined && maxNodes < count) {
      const weights = new Float64Array(count);
      for (let i = 0; i < count; i++) weights[i] = weight[nodes[i] ?? 0] ?? 0;
      least = nthGreatest(weights, maxNodes);
      discard(weights);
      count = 1;
      for (let i = 1; i < nodes.length; i++) if ((weight[nodes[i] ?? 0] ?? 0) >= least) count++;
    }
    const used = new UsedNodes(count, least, maxNodes !== undefined, isApart);
    /** By node: place + 1; 0: it is left out. */
    const place = sums.places;
    place[0] = 1;
    for (let i = 1, at = 1; i < nodes.length; i++) {
      const node = nodes[i] ?? 0;
      const value = weight[node] ?? 0;
      const up = (place[pairs[node * 2] ?? 0] ?? 0) - 1;
      if (value < least) {
        if (up >= 0) used.leave(up, value, samples[node] ?? 0);
        continue;
      }
      place[node] = at + 1;
      used.parent[at] = up;
      used.frame[at] = pairs[node * 2 + 1] ?? 0;
      // Kept for the columns below.
      nodes[at++] = node;
    }
    const kept = nodes.subarray(0, count);
    const columns = [
      [sums.total.counts, used.samples],
      [sums.self.counts, used.selfSamples],
      [sums.total.values, used.total],
      [sums.self.values, used.self],
    ] as const;
    for (const [from, to] of columns) {
      for (let at = 0; at < to.length; at++) to[at] = from[kept[at] ?? 0] ?? 0;
      if (sums.isLarge) discard(from);
    }
    if (sums.isLarge) discard(place);
    discard(nodes);
    return used;
  }

  /**
   * In the order given: places in `used`; where `rest` is not 0 a remainder of the place instead of the place. Column by column, and what is read is given
   * back: a whole tree of a million nodes is not there twice.
   */
  #tree(used: UsedNodes, order: Uint32Array, rest: RestRows | null): Tree | LimitedTree {
    const { perCount } = this;
    const { length } = order;
    const frames = new OwnFrames(this.#index.names, this.origins);
    const parent = new Uint32Array(length);
    const frame = new Uint32Array(length);
    const rowOf = new Uint32Array(used.parent.length);
    for (let row = 0; row < length; row++) {
      const at = order[row] ?? 0;
      if (rest !== null && (rest.count[row] ?? 0) > 0) {
        parent[row] = rowOf[at] ?? 0;
        frame[row] = frames.remainder();
        continue;
      }
      rowOf[at] = row;
      parent[row] = rowOf[used.parent[at] ?? 0] ?? 0;
      frame[row] = frames.row(used.frame[at] ?? 0);
    }
    discard(rowOf, used.parent, used.frame, used.left, used.leftTotal, used.leftSamples);
    /** Remainders end in no function: of them `self` is 0. */
    const ordered = (column: Float64Array, remainders: Float64Array | null): Float64Array<ArrayBuffer> => {
      const result = new Float64Array(length);
      for (let row = 0; row < length; row++) {
        const isRest = rest !== null && (rest.count[row] ?? 0) > 0;
        result[row] = (isRest ? remainders?.[row] : column[order[row] ?? 0]) ?? 0;
      }
      discard(column);
      return result;
    };
    const shape = {
      frames: frames.columns(),
      parent,
      frame,
      samples: ordered(used.samples, rest?.samples ?? null),
      selfSamples: ordered(used.selfSamples, null),
      ...(rest === null ? {} : { rest: rest.count }),
    };
    if (perCount > 0) return counted(shape, perCount);
    const total = int64sOf(ordered(used.total, rest?.total ?? null));
    return { ...shape, total, self: int64sOf(ordered(used.self, null)) };
  }
}
