import type { DiffTree } from '../data/tree-columns.ts';

/** A function on both sides. Values exact; shares of the side's total; rates in the side's cores (null for what is no time). */
export interface ComparedFunction {
  readonly name: string;
  readonly file: string;
  readonly before: bigint;
  readonly after: bigint;
  readonly shareBefore: number;
  readonly shareAfter: number;
  readonly deltaShare: number;
  readonly deltaRate: number | null;
  readonly samplesBefore: number;
  readonly samplesAfter: number;
  readonly presence: 'both' | 'new' | 'gone';
}

/** How much a side amounts to. `rate`: its average use, in cores; null for what is no time. */
export interface SideWeight {
  readonly total: bigint;
  readonly rate: number | null;
}

interface FunctionSides {
  readonly name: string;
  readonly file: string;
  readonly before: { readonly self: string; readonly total: string; readonly samples: number };
  readonly after: { readonly self: string; readonly total: string; readonly samples: number };
  readonly presence: 'both' | 'new' | 'gone';
}

export function compareFunctions(
  functions: readonly FunctionSides[],
  of: 'self' | 'total',
  before: SideWeight,
  after: SideWeight,
): ComparedFunction[] {
  return functions.map((one) => {
    const valueBefore = BigInt(one.before[of]);
    const valueAfter = BigInt(one.after[of]);
    const shareBefore = share(valueBefore, before.total);
    const shareAfter = share(valueAfter, after.total);
    const hasRates = before.rate !== null && after.rate !== null;
    return {
      name: one.name,
      file: one.file,
      before: valueBefore,
      after: valueAfter,
      shareBefore,
      shareAfter,
      deltaShare: shareAfter - shareBefore,
      deltaRate: hasRates ? shareAfter * after.rate - shareBefore * before.rate : null,
      samplesBefore: one.before.samples,
      samplesAfter: one.after.samples,
      presence: one.presence,
    };
  });
}

function share(value: bigint, total: bigint): number {
  return total === 0n ? 0 : Number((value * 1_000_000_000_000n) / total) / 1e12;
}

/** Nodes that only the side before has, none below another, heaviest first: what a picture of the side after cannot show. */
export function goneNodes(tree: DiffTree): number[] {
  const gone: number[] = [];
  const isGone = (node: number) => tree.after.total[node] === 0n && tree.before.total[node] !== 0n;
  for (let node = 1; node < tree.length; node++) {
    if (isGone(node) && !isGone(tree.parent[node] ?? 0)) gone.push(node);
  }
  return gone.toSorted((a, b) => Number((tree.before.total[b] ?? 0n) - (tree.before.total[a] ?? 0n)));
}

/** Widths of a diff's nodes, as shares of their side: of one side, or of both together (each side counts half). */
export function diffWidths(tree: DiffTree, side: 'before' | 'after' | 'both'): Float64Array {
  const wholeBefore = Number(tree.before.total[0] ?? 0n);
  const wholeAfter = Number(tree.after.total[0] ?? 0n);
  const of = (value: bigint | undefined, whole: number) => (whole > 0 ? Math.max(Number(value ?? 0n), 0) / whole : 0);
  return Float64Array.from({ length: tree.length }, (_, node) => {
    const before = of(tree.before.total[node], wholeBefore);
    const after = of(tree.after.total[node], wholeAfter);
    return side === 'before' ? before : side === 'after' ? after : (before + after) / 2;
  });
}
