import { type FrameKind, type LimitedTree, REMAINDER, type Tree } from '@everflame/profile';
import type { Selection } from '../../storage.ts';
import { countTypeIndex, type Header } from '../header.ts';
import { excluded, LabelView, type SelectedSeries } from '../label-view.ts';
import type { Part, PartSeries } from '../part.ts';
import { Vector } from '../vector-scratch.ts';
import { LeafSums, type SumColumns } from './leaf-sums.ts';
import { orderNodes, type UsedNodes } from './order-nodes.ts';
import type { PartNodes, TreeIndex } from './tree-index.ts';

/** Sums what a selection selects by node of the index: a tree without the profile that it would be made of. */
export class TreeRun {
  readonly #index: TreeIndex;
  readonly #selection: Selection;
  readonly #typeIndex: (header: Header) => number;
  readonly #labels = new LabelView([]);
  readonly #sums = new LeafSums();
  readonly #vector = new Vector();
  readonly #columns = new Map<Header, SumColumns | null>();
  readonly #parts: PartNodes[] = [];
  #self = new Float64Array(0);
  #selfSamples = new Float64Array(0);
  #shape = '';
  #isSuited = true;
  #profiles = 0;

  constructor(index: TreeIndex, selection: Selection, typeIndex: (header: Header) => number) {
    this.#index = index;
    this.#selection = selection;
    this.#typeIndex = typeIndex;
  }

  /** Adds the selected series of a part. False: this question is none for the index, `MergeRun` has to answer it. */
  add(part: Part, selected: readonly { readonly series: PartSeries; readonly own: SelectedSeries }[]): boolean {
    const nodes = this.#index.of(part);
    const sums = this.#sums;
    sums.reset(nodes.nodes.length);
    let isInUse = false;
    for (const { series, own } of selected) {
      this.#selection.check?.();
      if (own.open.length === 0) this.#profiles += series.sum(this.#selection, (header) => this.#of(header), sums);
      else {
        if (!isInUse) this.#labels.use(part.dictionary);
        isInUse = true;
        this.#addByLabels(series, own);
      }
      if (!this.#isSuited || !sums.isPlain) return false;
    }
    this.#parts.push(nodes);
    this.#addToNodes(nodes.nodes);
    return true;
  }

  /** `maxNodes`: as `limitTree` takes it. Null: `MergeRun` has to answer. */
  finish(maxNodes?: number): { readonly tree: Tree | LimitedTree; readonly profiles: number } | null {
    if (this.#parts.length > 1 && this.#parts.some(({ isNamedByBinary }) => isNamedByBinary)) return null;
    const used = this.#usedNodes();
    if (!Number.isSafeInteger(used.total[0]) || !Number.isSafeInteger(used.samples[0])) return null;
    const { order, rest } = orderNodes(used, this.#index.ranks(), maxNodes);
    return { tree: this.#tree(used, order, rest), profiles: this.#profiles };
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
      this.#profiles++;
      series.read(i, vector);
      for (let row = 0; row < vector.rows; row++) {
        if (classes[vector.sets[row] ?? 0] === excluded) continue;
        this.#sums.add(vector.stacks[row] ?? 0, vector.number(columns.asked, row), vector.number(columns.count, row));
      }
    }
  }

  #addToNodes(nodes: Uint32Array): void {
    const { length } = this.#index.nodes;
    if (this.#self.length < length) {
      this.#self = larger(this.#self, length);
      this.#selfSamples = larger(this.#selfSamples, length);
    }
    const { values, counts } = this.#sums;
    const self = this.#self;
    const samples = this.#selfSamples;
    for (let leaf = 0; leaf < nodes.length; leaf++) {
      const value = values[leaf] ?? 0;
      if (value === 0) continue;
      const node = nodes[leaf] ?? 0;
      self[node] = (self[node] ?? 0) + value;
      samples[node] = (samples[node] ?? 0) + (counts[leaf] ?? 0);
    }
  }

  /** The nodes with a value and those above them, numbered anew, callers first. */
  #usedNodes(): UsedNodes {
    const self = this.#self;
    const { pairs } = this.#index.nodes;
    const isUsed = new Uint8Array(Math.max(1, self.length));
    let count = 1;
    isUsed[0] = 1;
    for (let node = self.length - 1; node > 0; node--) {
      if (self[node] === 0) continue;
      for (let at = node; isUsed[at] === 0; at = pairs[at * 2] ?? 0) {
        isUsed[at] = 1;
        count++;
      }
    }
    const place = new Uint32Array(isUsed.length);
    const used = {
      parent: new Uint32Array(count),
      frame: new Uint32Array(count),
      total: new Float64Array(count),
      self: new Float64Array(count),
      samples: new Float64Array(count),
      selfSamples: new Float64Array(count),
    };
    for (let node = 0, at = 0; node < isUsed.length; node++) {
      if (isUsed[node] === 0) continue;
      place[node] = at;
      used.parent[at] = place[pairs[node * 2] ?? 0] ?? 0;
      used.frame[at] = pairs[node * 2 + 1] ?? 0;
      used.self[at] = self[node] ?? 0;
      used.selfSamples[at] = this.#selfSamples[node] ?? 0;
      at++;
    }
    used.total.set(used.self);
    used.samples.set(used.selfSamples);
    for (let at = count - 1; at > 0; at--) {
      const up = used.parent[at] ?? 0;
      used.total[up] = (used.total[up] ?? 0) + (used.total[at] ?? 0);
      used.samples[up] = (used.samples[up] ?? 0) + (used.samples[at] ?? 0);
    }
    return used;
  }

  /** In the order given: places in `used`; where `rest` is not 0 a remainder of the place instead of the place. */
  #tree(used: UsedNodes, order: Uint32Array, rest: RestRows | null): Tree | LimitedTree {
    const { length } = order;
    const frames = new OwnFrames(this.#index.names, this.#parts);
    const parent = new Uint32Array(length);
    const frame = new Uint32Array(length);
    const columns = [0, 1].map(() => new BigInt64Array(length)) as [BigInt64Array, BigInt64Array];
    const words = columns.map(({ buffer }) => new Int32Array(buffer)) as [Int32Array, Int32Array];
    const samples = new Float64Array(length);
    const selfSamples = new Float64Array(length);
    const rowOf = new Uint32Array(used.parent.length);
    for (let row = 0; row < length; row++) {
      const at = order[row] ?? 0;
      const left = rest?.count[row] ?? 0;
      if (rest !== null && left > 0) {
        parent[row] = rowOf[at] ?? 0;
        frame[row] = frames.remainder();
        put(words[0], row, rest.total[row] ?? 0);
        samples[row] = rest.samples[row] ?? 0;
        continue;
      }
      rowOf[at] = row;
      parent[row] = rowOf[used.parent[at] ?? 0] ?? 0;
      frame[row] = frames.row(used.frame[at] ?? 0);
      put(words[0], row, used.total[at] ?? 0);
      put(words[1], row, used.self[at] ?? 0);
      samples[row] = used.samples[at] ?? 0;
      selfSamples[row] = used.selfSamples[at] ?? 0;
    }
    const [total, self] = columns;
    const tree = { frames: frames.columns(), parent, frame, total, self, samples, selfSamples };
    return rest === null ? tree : { ...tree, rest: rest.count };
  }
}

/** By row of a limited tree: how many children it stands for, with what. 0: it is a node. */
export interface RestRows {
  readonly count: Uint32Array;
  readonly total: Float64Array;
  readonly samples: Float64Array;
}

/** The frames of one answer, numbered as they come. */
class OwnFrames {
  readonly #indexNames: readonly string[];
  readonly #parts: readonly PartNodes[];
  /** By frame of the index: row + 1. */
  readonly #rows: Uint32Array;
  readonly #used: number[] = [0];
  #remainder = 0;

  constructor(names: readonly string[], parts: readonly PartNodes[]) {
    this.#indexNames = names;
    this.#parts = parts;
    this.#rows = new Uint32Array(names.length);
    this.#rows[0] = 1;
  }

  row(frame: number): number {
    const known = this.#rows[frame] ?? 0;
    if (known > 0) return known - 1;
    const row = this.#used.push(frame) - 1;
    this.#rows[frame] = row + 1;
    return row;
  }

  remainder(): number {
    if (this.#remainder === 0) this.#remainder = this.#used.push(-1) - 1;
    return this.#remainder;
  }

  columns(): Tree['frames'] {
    const { length } = this.#used;
    const name = this.#used.map((frame) => (frame < 0 ? REMAINDER : (this.#indexNames[frame] ?? '')));
    const file = new Array<string>(length).fill('');
    const binary = new Array<string>(length).fill('');
    const kind = new Array<FrameKind | ''>(length).fill('');
    for (const part of this.#parts) {
      for (let i = 0; i < part.frames.length; i++) {
        const row = (this.#rows[part.frames[i] ?? 0] ?? 0) - 1;
        if (row < 0) continue;
        if (file[row] === '') file[row] = part.files[i] ?? '';
        if (binary[row] === '') binary[row] = part.binaries[i] ?? '';
        if (kind[row] === '') kind[row] = part.kinds[i] ?? '';
      }
    }
    kind[0] = 'root';
    name[0] = 'root';
    if (this.#remainder > 0) kind[this.#remainder] = 'group';
    return { name, file, binary, kind: kind.map((one) => (one === '' ? 'native' : one)) };
  }
}

function put(words: Int32Array, row: number, value: number): void {
  words[row * 2] = value | 0;
  words[row * 2 + 1] = Math.floor(value / 4_294_967_296);
}

function larger(column: Float64Array, length: number): Float64Array<ArrayBuffer> {
  const result = new Float64Array(length);
  result.set(column);
  return result;
}
