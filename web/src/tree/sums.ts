import type { TreeShape, Weights } from '../data/tree-columns.ts';

/** Exact sums over nodes none of which lies below another. */
export interface Sum {
  readonly total: bigint;
  readonly self: bigint;
  readonly samples: number;
}

export function sumOf(weights: Weights, nodes: Iterable<number>): Sum {
  let total = 0n;
  let self = 0n;
  let samples = 0;
  for (const node of nodes) {
    total += weights.total[node] ?? 0n;
    self += weights.self[node] ?? 0n;
    samples += weights.samples[node] ?? 0;
  }
  return { total, self, samples };
}

/** The topmost marked nodes: those with no marked node above them. Their values can be added up without counting twice. */
export function topmost(tree: TreeShape, marked: (node: number) => boolean): number[] {
  const covered = new Uint8Array(tree.length);
  const found: number[] = [];
  for (let node = 0; node < tree.length; node++) {
    if (node > 0 && covered[tree.parent[node] ?? 0] === 1) {
      covered[node] = 1;
    } else if (marked(node)) {
      covered[node] = 1;
      found.push(node);
    }
  }
  return found;
}

/** `part ÷ whole` as a number, 0 when there is no whole. Scaled in BigInt first, so that 2^60 of 2^62 is exactly 0.25. */
export function shareOf(part: bigint, whole: bigint): number {
  if (whole === 0n) return 0;
  return Number((part * 1_000_000_000_000n) / whole) / 1_000_000_000_000;
}
