import type { Frames, TreeShape, Weights } from '../data/tree-columns.ts';
import { subtreeMask } from './order.ts';
import { type Sum, sumOf, topmost } from './sums.ts';

export type Pattern =
  | { readonly ok: true; readonly test: (name: string) => boolean }
  | { readonly ok: false; readonly message: string };

/** A regular expression for names; upper and lower case are one unless the text holds an upper-case letter. */
export function parsePattern(text: string): Pattern {
  if (text.length > 1000) return { ok: false, message: 'longer than 1,000 characters' };
  // `\S` and `\B` are classes, not upper-case letters that somebody looks for.
  const flags = /\p{Lu}/u.test(text.replaceAll(/\\./gu, '')) ? 'u' : 'iu';
  try {
    const pattern = new RegExp(text, flags);
    return { ok: true, test: (name) => pattern.test(name) };
  } catch (error) {
    return { ok: false, message: error instanceof Error ? error.message.replace(/^.*: /u, '') : String(error) };
  }
}

/** A pattern for this one name. */
export function exactly(name: string): string {
  return `^${name.replaceAll(/[.*+?^${}()|[\]\\/]/gu, String.raw`\$&`)}$`;
}

export interface Matches {
  /** 1 for each frame whose name matches. */
  readonly frames: Uint8Array;
  /** Names that match in view. */
  readonly functions: number;
  /** Value of the samples that pass through at least one match below the roots asked for, each sample once. */
  readonly union: Sum;
}

/** `roots`: the nodes in view, none of them below another. */
export function findMatches(
  tree: TreeShape,
  weights: Weights,
  roots: readonly number[],
  test: (name: string) => boolean,
): Matches {
  const frames = matchingFrames(tree.frames, test);
  const inside = subtreeMask(tree, roots);
  // A match above the view does not count: everything in view would lie below it.
  const isMatch = (node: number): boolean => inside[node] === 1 && frames[tree.frame[node] ?? 0] === 1;
  const names = new Set<string>();
  for (let node = 0; node < tree.length; node++) {
    if (isMatch(node)) names.add(tree.frames.name[tree.frame[node] ?? 0] ?? '');
  }
  return { frames, functions: names.size, union: sumOf(weights, topmost(tree, isMatch)) };
}

function matchingFrames(frames: Frames, test: (name: string) => boolean): Uint8Array {
  return Uint8Array.from({ length: frames.length }, (_, frame) => {
    const kind = frames.kind[frame];
    return kind !== 'root' && test(frames.name[frame] ?? '') ? 1 : 0;
  });
}
