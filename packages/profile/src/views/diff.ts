import { discard } from '../tables/discard.ts';
import { Int64Column } from '../tables/int64-column.ts';
import { withAmounts } from './counted.ts';
import { frameAt, type FrameColumns, FrameTable } from './frame-table.ts';
import { type FunctionColumns, isFunction } from './functions.ts';
import { type Amounts, compareText, ranks, type Tree, TreeNodes, type TreeShape } from './tree.ts';

/** Two trees as one: a node that only one side has is there with zeros on the other. */
export interface DiffTree extends TreeShape {
  readonly before: Amounts;
  readonly after: Amounts;
}

/** Two tables of functions as one. */
export interface FunctionDiff {
  readonly frames: FrameColumns;
  readonly before: Amounts;
  readonly after: Amounts;
  /** `new`: only after; `gone`: only before. */
  readonly presence: readonly ('both' | 'new' | 'gone')[];
}

/** The union of two trees, both sides whole and exact. Nodes are the same when their paths of function names are. */
export function diffTrees(before: Tree, after: Tree): DiffTree {
  const frames = new FrameTable();
  const own = adoptFrames(before, frames);
  const others = adoptFrames(after, frames);
  const columns = frames.columns();
  return new Set(columns.name).size === columns.name.length
    ? mergedTrees({ tree: before, frames: own }, { tree: after, frames: others }, columns)
    : internedTrees({ tree: before, frames: own }, { tree: after, frames: others }, columns);
}

/** A tree with the row of each of its frames in the union. */
interface Adopted {
  readonly tree: Tree;
  readonly frames: Uint32Array;
}

function adoptFrames({ frames: { name, file, binary, kind } }: Tree, into: FrameTable): Uint32Array {
  const columns = { name, file, binary, kind };
  return Uint32Array.from(name, (_, row) => into.intern(frameAt(columns, row)));
}

/**
 * Both trees are in depth-first order, siblings by name, so that they are merged as sorted lists are. Of two nodes that wait, the
 * one whose caller came later comes first: what is below that caller is not done.
 */
function mergedTrees(before: Adopted, after: Adopted, frames: FrameColumns): DiffTree {
  const rank = ranks(frames);
  const [beforeLength, afterLength] = [before.tree.parent.length, after.tree.parent.length];
  const most = beforeLength + afterLength;
  const parent = new Uint32Array(most);
  const frame = new Uint32Array(most);
  const fromBefore = new Int32Array(most).fill(-1);
  const fromAfter = new Int32Array(most).fill(-1);
  const placeOfBefore = new Uint32Array(beforeLength);
  const placeOfAfter = new Uint32Array(afterLength);
  let length = 0;
  for (let b = 0, a = 0; b < beforeLength || a < afterLength; length++) {
    const beforeFrame = before.frames[before.tree.frame[b] ?? 0] ?? 0;
    const afterFrame = after.frames[after.tree.frame[a] ?? 0] ?? 0;
    const beforeParent = b < beforeLength ? (placeOfBefore[before.tree.parent[b] ?? 0] ?? 0) : -1;
    const afterParent = a < afterLength ? (placeOfAfter[after.tree.parent[a] ?? 0] ?? 0) : -1;
    const order = beforeParent - afterParent || (rank[afterFrame] ?? 0) - (rank[beforeFrame] ?? 0);
    parent[length] = Math.max(beforeParent, afterParent);
    frame[length] = order >= 0 ? beforeFrame : afterFrame;
    if (order >= 0) {
      placeOfBefore[b] = length;
      fromBefore[length] = b++;
    }
    if (order <= 0) {
      placeOfAfter[a] = length;
      fromAfter[length] = a++;
    }
  }
  const tree = {
    frames,
    parent: parent.slice(0, length),
    frame: frame.slice(0, length),
    before: withAmounts({}, before.tree, fromBefore.subarray(0, length)),
    after: withAmounts({}, after.tree, fromAfter.subarray(0, length)),
  };
  discard(parent, frame, fromBefore, fromAfter, placeOfBefore, placeOfAfter);
  return tree;
}

/** The same where a group and a function have one name, so that names do not tell the order. */
function internedTrees(before: Adopted, after: Adopted, frames: FrameColumns): DiffTree {
  const nodes = new TreeNodes();
  const placeOfBefore = adopt(before, nodes);
  const placeOfAfter = adopt(after, nodes);
  const { order, shape } = nodes.sorted(frames);
  return {
    ...shape,
    before: spread(before.tree, placeOfBefore, order, nodes.length),
    after: spread(after.tree, placeOfAfter, order, nodes.length),
  };
}

/** Adds a tree's nodes to the union; answers where each went. */
function adopt({ tree, frames }: Adopted, nodes: TreeNodes): Uint32Array {
  const place = new Uint32Array(tree.parent.length);
  for (let node = 1; node < tree.parent.length; node++) {
    place[node] = nodes.child(place[tree.parent[node] ?? 0] ?? 0, frames[tree.frame[node] ?? 0] ?? 0);
  }
  return place;
}

/** One side's amounts in the union's order: `place[i]` is where source row `i` went, `order[j]` which of the `places` row `j` is. */
function spread(side: Amounts, place: ArrayLike<number>, order: Uint32Array, places: number): Amounts {
  const source = new Int32Array(places).fill(-1);
  for (let i = 0; i < place.length; i++) source[place[i] ?? 0] = i;
  const from = new Int32Array(order.length);
  for (let row = 0; row < order.length; row++) from[row] = source[order[row] ?? 0] ?? -1;
  return withAmounts({}, side, from);
}

/**
 * The union of two tables of functions, by the greatest change of the share of self value, then name. Functions are the
 * same when their names are.
 */
export function diffFunctions(before: FunctionColumns, after: FunctionColumns): FunctionDiff {
  const frames = new FrameTable();
  const adoptRows = (side: FunctionColumns): number[] =>
    side.frames.name.map((_, row) => frames.intern(frameAt(side.frames, row)));
  const placeOfBefore = adoptRows(before);
  const placeOfAfter = adoptRows(after);
  const columns = frames.columns();
  const isBefore = new Set(placeOfBefore);
  const isAfter = new Set(placeOfAfter);
  const shareBefore = shares(before, placeOfBefore, frames.length);
  const shareAfter = shares(after, placeOfAfter, frames.length);
  const change = (row: number): number => Math.abs((shareAfter[row] ?? 0) - (shareBefore[row] ?? 0));
  const rows = columns.name.map((_, row) => row).filter((row) => isFunction(columns.kind[row]));
  rows.sort((a, b) => change(b) - change(a) || compareText(columns.name[a] ?? '', columns.name[b] ?? ''));
  const order = Uint32Array.from(rows);
  return {
    frames: {
      name: rows.map((row) => columns.name[row] ?? ''),
      file: rows.map((row) => columns.file[row] ?? ''),
      binary: rows.map((row) => columns.binary[row] ?? ''),
      kind: rows.map((row) => columns.kind[row] ?? 'native'),
    },
    before: spread(before, placeOfBefore, order, frames.length),
    after: spread(after, placeOfAfter, order, frames.length),
    presence: rows.map((row) => (isBefore.has(row) ? (isAfter.has(row) ? 'both' : 'gone') : 'new')),
  };
}

/** Self value ÷ sum of all self values, by union row. For ordering only: doubles are enough. */
function shares(side: FunctionColumns, place: readonly number[], length: number): Float64Array {
  const share = new Float64Array(length);
  let sum = 0;
  const self = new Int64Column(side.self);
  for (let row = 0; row < place.length; row++) sum += self.number(row);
  if (sum === 0) return share;
  for (const [row, at] of place.entries()) share[at] = self.number(row) / sum;
  return share;
}
