import type { Profile } from '../profile.ts';
import { buildTree, type TreeOptions } from './build-tree.ts';
import { Int64Column } from '../tables/int64-column.ts';
import { counted, withAmounts } from './counted.ts';
import type { DiffTree } from './diff.ts';
import { ExactSums, sumsAreSmall } from './exact-sums.ts';
import type { FrameColumns, FrameKind } from './frame-table.ts';
import { Outermost, subtreeSizes } from './subtrees.ts';
import { type Amounts, compareText, type Tree, type TreeShape } from './tree.ts';

/** A table of functions: row `i` is the function `frames.name[i]` and what it amounts to. */
export interface FunctionColumns extends Amounts {
  readonly frames: FrameColumns;
}

/**
 * The functions of a profile, by self value (then total, then name): what `go tool pprof -top` shows. A function counts
 * once per sample in its total, however deep it recurses.
 */
export function topFunctions(
  profile: Profile,
  typeIndex: number,
  options: Pick<TreeOptions, 'filter'> = {},
): FunctionColumns {
  return functionsOfTree(buildTree(profile, typeIndex, options));
}

/** The functions of a tree, in the order of `topFunctions`; the root and groups are none. */
export function functionsOfTree(tree: Tree): FunctionColumns {
  return sumsOfFunctions(tree, tree).columns((row) => isFunction(tree.frames.kind[row]));
}

/** The same in the order of the tree's frames. */
export function unsortedFunctionsOfTree(tree: Tree): FunctionColumns {
  return sumsOfFunctions(tree, tree).unsortedColumns((row) => isFunction(tree.frames.kind[row]));
}

/** Those of one side of two trees' union, in the order of its frames. */
export function functionsOfSide(tree: DiffTree, side: 'before' | 'after'): FunctionColumns {
  // Nodes without any value are the other side's.
  return sumsOfFunctions(tree, tree[side], isZero).unsortedColumns((row) => isFunction(tree.frames.kind[row]));
}

function sumsOfFunctions(
  tree: TreeShape,
  amounts: Amounts,
  isLeftOut?: (amounts: Amounts, node: number) => boolean,
): FunctionSums {
  const sums = new FunctionSums(tree.frames, amounts);
  const outermost = new Outermost(subtreeSizes(tree), tree.frames.name.length);
  for (let node = 0; node < tree.frame.length; node++) {
    if (isLeftOut?.(amounts, node) === true) continue;
    const frame = tree.frame[node] ?? 0;
    // Below itself a function adds nothing to its total: the outer node's has it already.
    if (outermost.isNext(frame, node)) sums.addTotal(frame, node);
    sums.addSelf(frame, node);
  }
  return sums;
}

function isZero(amounts: Amounts, node: number): boolean {
  return amounts.samples[node] === 0 && (amounts.perSample !== undefined || amounts.total[node] === 0n);
}

export function isFunction(kind: FrameKind | undefined): boolean {
  return kind !== 'root' && kind !== 'group';
}

/** Amounts by frame row, taken from the nodes of a tree. */
export class FunctionSums {
  readonly #frames: FrameColumns;
  readonly #nodes: Amounts;
  /** Null where counts tell values. */
  readonly #values: ValueSums | null;
  readonly #samples: Float64Array;
  readonly #selfSamples: Float64Array;
  readonly #seen: Uint8Array;

  /** `nodes`: what the nodes of a tree with these frames amount to. */
  constructor(frames: FrameColumns, nodes: Amounts) {
    const rows = frames.name.length;
    this.#frames = frames;
    this.#nodes = nodes;
    this.#values = nodes.perSample === undefined ? new ValueSums(rows, nodes) : null;
    this.#samples = new Float64Array(rows);
    this.#selfSamples = new Float64Array(rows);
    this.#seen = new Uint8Array(rows);
  }

  addTotal(row: number, node: number): void {
    this.#seen[row] = 1;
    this.#values?.total.add(row, this.#values.totalOf, node);
    this.#samples[row] = (this.#samples[row] ?? 0) + (this.#nodes.samples[node] ?? 0);
  }

  addSelf(row: number, node: number): void {
    this.#values?.self.add(row, this.#values.selfOf, node);
    this.#selfSamples[row] = (this.#selfSamples[row] ?? 0) + (this.#nodes.selfSamples[node] ?? 0);
  }

  /** The rows that were seen and are wanted, by self value, total and name. */
  columns(isWanted: (row: number) => boolean): FunctionColumns {
    const amounts = this.#amounts();
    const { name } = this.#frames;
    const descending = (this.#values?.isSmall ?? true) ? byNumbers : byBigInts;
    const [byTotal, bySelf] = [descending(amounts.total), descending(amounts.self)];
    const rows = this.#rows(isWanted);
    rows.sort((a, b) => bySelf(a, b) || byTotal(a, b) || compareText(name[a] ?? '', name[b] ?? ''));
    return this.#gathered(rows, amounts);
  }

  /** The same in the order of the frames. */
  unsortedColumns(isWanted: (row: number) => boolean): FunctionColumns {
    return this.#gathered(this.#rows(isWanted), this.#amounts());
  }

  #rows(isWanted: (row: number) => boolean): number[] {
    return Array.from(this.#seen.keys()).filter((row) => this.#seen[row] === 1 && isWanted(row));
  }

  #amounts(): Amounts {
    const counts = { samples: this.#samples, selfSamples: this.#selfSamples };
    const values = this.#values;
    return values === null
      ? counted(counts, this.#nodes.perSample ?? 1)
      : { ...counts, total: values.total.toColumn(), self: values.self.toColumn() };
  }

  #gathered(rows: readonly number[], amounts: Amounts): FunctionColumns {
    const frames = this.#frames;
    const columns = {
      name: rows.map((row) => frames.name[row] ?? ''),
      file: rows.map((row) => frames.file[row] ?? ''),
      binary: rows.map((row) => frames.binary[row] ?? ''),
      kind: rows.map((row) => frames.kind[row] ?? 'native'),
    };
    return withAmounts({ frames: columns }, amounts, rows);
  }
}

/** Values by frame row, where they are not what counts tell. */
class ValueSums {
  readonly totalOf: Int64Column;
  readonly selfOf: Int64Column;
  readonly isSmall: boolean;
  readonly total: ExactSums;
  readonly self: ExactSums;

  constructor(rows: number, { total, self }: Amounts) {
    this.totalOf = new Int64Column(total);
    this.selfOf = new Int64Column(self);
    this.isSmall = sumsAreSmall(self);
    this.total = new ExactSums(rows, this.isSmall);
    this.self = new ExactSums(rows, this.isSmall);
  }
}

/** Compares rows of a column for a descending order; its values are below 2^53. */
function byNumbers(column: BigInt64Array): (a: number, b: number) => number {
  const numbers = new Int64Column(column);
  return (a, b) => numbers.number(b) - numbers.number(a);
}

function byBigInts(column: BigInt64Array): (a: number, b: number) => number {
  return (a, b) => {
    const difference = (column[b] ?? 0n) - (column[a] ?? 0n);
    return difference > 0n ? 1 : difference < 0n ? -1 : 0;
  };
}
