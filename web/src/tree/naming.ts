import type { Tree } from '../data/tree-columns.ts';
import { shareOf } from './sums.ts';

/** How well the code of one binary is named. Values are what samples spent in it. */
export interface Naming {
  readonly binary: string;
  readonly value: bigint;
  readonly named: number;
}

/** By binary, the most expensive first; and which part of all samples has its whole stack. Kinds are told by the server. */
export function namingOf(tree: Tree): { readonly binaries: readonly Naming[]; readonly complete: number } {
  const sums = new Map<string, { value: bigint; named: bigint }>();
  let cut = 0n;
  for (let node = 1; node < tree.length; node++) {
    const frame = tree.frame[node] ?? 0;
    const self = tree.weights.self[node] ?? 0n;
    const name = tree.frames.name[frame] ?? '';
    // The agent's frame at the root of a stack that it could not follow to its end.
    if (tree.parent[node] === 0 && name.startsWith('[stack cut: ')) cut += tree.weights.total[node] ?? 0n;
    if (self === 0n) continue;
    const binary = tree.frames.binary[frame] ?? '';
    const sum = sums.get(binary) ?? { value: 0n, named: 0n };
    sum.value += self;
    if (tree.frames.kind[frame] !== 'unsymbolized') sum.named += self;
    sums.set(binary, sum);
  }
  const binaries = [...sums].map(([binary, { value, named }]) => ({ binary, value, named: shareOf(named, value) }));
  binaries.sort((a, b) => (a.value > b.value ? -1 : a.value < b.value ? 1 : 0));
  const whole = tree.weights.total[0] ?? 0n;
  return { binaries, complete: whole === 0n ? 1 : shareOf(whole - cut, whole) };
}
