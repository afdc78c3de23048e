import { Int64Column } from '../tables/int64-column.ts';
import { ExactSums, sumsAreSmall } from './exact-sums.ts';
import { frameAt, type Frame, FrameTable } from './frame-table.ts';
import { type Tree, TreeNodes } from './tree.ts';

export interface TreeShaping {
  /** What a frame of the result is: the function, its source file, or its binary. */
  readonly by: 'function' | 'file' | 'binary';
  /** A function that calls itself directly is one frame. */
  readonly collapseRecursion: boolean;
  /** Frames in a row that lie in one library (a binary called `*.so*`) are one frame with its name. */
  readonly groupLibraries: boolean;
}

const unchanged: TreeShaping = { by: 'function', collapseRecursion: false, groupLibraries: false };

export function isUnchanged(shaping: TreeShaping): boolean {
  return Object.entries(unchanged).every(([key, value]) => shaping[key as keyof TreeShaping] === value);
}

/** The same samples with other frames; values and sample counts stay exact. Where frames become one, self values add up. */
export function reshapeTree(tree: Tree, shaping: TreeShaping): Tree {
  const frames = new FrameTable();
  const mapped = tree.frames.name.map((_, row) => shapedFrame(frameAt(tree.frames, row), shaping));
  const rows = mapped.map(({ frame }) => frames.intern(frame));
  const nodes = new TreeNodes(tree.parent.length);
  const place = new Uint32Array(tree.parent.length);
  for (let node = 1; node < place.length; node++) {
    const row = tree.frame[node] ?? 0;
    const up = tree.parent[node] ?? 0;
    const above = place[up] ?? 0;
    const isFolded = mapped[row]?.folds === true && up !== 0 && rows[tree.frame[up] ?? 0] === rows[row];
    place[node] = isFolded ? above : nodes.child(above, rows[row] ?? 0);
  }
  return summed(tree, place, nodes, frames);
}

/** `folds`: with the same frame above it is no frame of its own. */
function shapedFrame(
  frame: Frame,
  { by, collapseRecursion, groupLibraries }: TreeShaping,
): { frame: Frame; folds: boolean } {
  if (frame.kind === 'root' || frame.kind === 'group') return { frame, folds: false };
  if (by === 'file') {
    const name = frame.file === '' ? '(no source file)' : frame.file;
    return { frame: { ...frame, name, kind: frame.kind === 'unsymbolized' ? 'native' : frame.kind }, folds: true };
  }
  if (by === 'binary' || (groupLibraries && isLibrary(frame.binary))) {
    const name = frame.binary === '' ? '(no binary)' : frame.binary.slice(frame.binary.lastIndexOf('/') + 1);
    const kind = frame.kind === 'unsymbolized' ? 'native' : frame.kind;
    return { frame: { name, file: '', binary: frame.binary, kind }, folds: true };
  }
  return { frame, folds: collapseRecursion };
}

function isLibrary(binary: string): boolean {
  return /\.so(?:\.[0-9.]+)?$/.test(binary);
}

/**
 * From leaf to root: below the root the functions that samples end in, below each who called it. Values of a label stay the
 * first level. A sample ends in its outermost caller here, so that every total is still the sum of self and children.
 */
export function invertTree(tree: Tree): Tree {
  const frames = new FrameTable();
  const rows = tree.frames.name.map((_, row) => frames.intern(frameAt(tree.frames, row)));
  const nodes = new TreeNodes(tree.parent.length);
  const place = new Uint32Array(tree.parent.length);
  const isGroup = tree.frames.kind.map((kind) => kind === 'group');
  for (let node = 1; node < place.length; node++) {
    if (tree.self[node] === 0n && tree.selfSamples[node] === 0) continue;
    const first = firstBelowRoot(tree, node);
    const hasGroup = isGroup[tree.frame[first] ?? 0] === true;
    let at = hasGroup ? nodes.child(0, rows[tree.frame[first] ?? 0] ?? 0) : 0;
    for (let up = node; up !== 0; up = tree.parent[up] ?? 0) {
      if (hasGroup && up === first) break;
      at = nodes.child(at, rows[tree.frame[up] ?? 0] ?? 0);
    }
    place[node] = at;
  }
  return summed(tree, place, nodes, frames);
}

function firstBelowRoot({ parent }: Tree, node: number): number {
  let at = node;
  while ((parent[at] ?? 0) !== 0) at = parent[at] ?? 0;
  return at;
}

/** What one function calls: the trees below each outermost call of it as one, its frame first. Empty when it is not there. */
export function calleesTree(tree: Tree, name: string): Tree {
  const frames = new FrameTable();
  const rows = tree.frames.name.map((_, row) => frames.intern(frameAt(tree.frames, row)));
  const wanted = functionRow(tree, name);
  const nodes = new TreeNodes();
  const place = new Uint32Array(tree.parent.length);
  const skipped = 0xffff_ffff;
  place[0] = skipped;
  for (let node = 1; node < place.length; node++) {
    const above = place[tree.parent[node] ?? 0] ?? skipped;
    const row = tree.frame[node] ?? 0;
    if (above !== skipped) place[node] = nodes.child(above, rows[row] ?? 0);
    else place[node] = row === wanted ? nodes.child(0, rows[row] ?? 0) : skipped;
  }
  return summed(tree, place, nodes, frames, skipped);
}

/** Who calls one function: its frame, below it the callers of its outermost calls, and theirs. */
export function callersTree(tree: Tree, name: string): Tree {
  const frames = new FrameTable();
  const rows = tree.frames.name.map((_, row) => frames.intern(frameAt(tree.frames, row)));
  const wanted = functionRow(tree, name);
  const nodes = new TreeNodes();
  const skipped = 0xffff_ffff;
  const place = new Uint32Array(tree.parent.length).fill(skipped);
  const inside = new Uint8Array(tree.parent.length);
  const self = new BigInt64Array(tree.parent.length);
  const selfSamples = new Float64Array(tree.parent.length);
  for (let node = 1; node < place.length; node++) {
    if (inside[tree.parent[node] ?? 0] === 1) {
      inside[node] = 1;
      continue;
    }
    if (tree.frame[node] !== wanted) continue;
    inside[node] = 1;
    let at = 0;
    for (let up = node; up !== 0; up = tree.parent[up] ?? 0) at = nodes.child(at, rows[tree.frame[up] ?? 0] ?? 0);
    place[node] = at;
    self[node] = tree.total[node] ?? 0n;
    selfSamples[node] = tree.samples[node] ?? 0;
  }
  return summed({ self, selfSamples }, place, nodes, frames, skipped);
}

function functionRow({ frames }: Tree, name: string): number {
  return frames.name.findIndex(
    (text, row) => text === name && frames.kind[row] !== 'group' && frames.kind[row] !== 'root',
  );
}

/** Self values go where their nodes went; totals are made of them. `skipped`: a place that is none. */
function summed(
  { self, selfSamples }: Pick<Tree, 'self' | 'selfSamples'>,
  place: Uint32Array,
  nodes: TreeNodes,
  frames: FrameTable,
  skipped = 0xffff_ffff,
): Tree {
  const values = new Int64Column(self);
  const isSmall = sumsAreSmall(self);
  const selfSums = new ExactSums(nodes.length, isSmall);
  const totalSums = new ExactSums(nodes.length, isSmall);
  const selfCounts = new Float64Array(nodes.length);
  const counts = new Float64Array(nodes.length);
  for (let node = 0; node < place.length; node++) {
    const at = place[node] ?? 0;
    if (at === skipped) continue;
    selfSums.add(at, values, node);
    selfCounts[at] = (selfCounts[at] ?? 0) + (selfSamples[node] ?? 0);
  }
  // Children were made after their parents: from the back, each total is complete before it goes up.
  for (let node = nodes.length - 1; node >= 0; node--) {
    totalSums.addFrom(node, selfSums, node);
    counts[node] = (counts[node] ?? 0) + (selfCounts[node] ?? 0);
    if (node === 0) break;
    const up = nodes.parentOf(node);
    totalSums.addFrom(up, totalSums, node);
    counts[up] = (counts[up] ?? 0) + (counts[node] ?? 0);
  }
  const { order, shape } = nodes.sorted(frames.columns());
  return {
    ...shape,
    total: totalSums.toColumn(order),
    self: selfSums.toColumn(order),
    samples: Float64Array.from(order, (node) => counts[node] ?? 0),
    selfSamples: Float64Array.from(order, (node) => selfCounts[node] ?? 0),
  };
}
