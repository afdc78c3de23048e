import type { Frames, TreeShape, Weights } from '../data/tree-columns.ts';
import { rangesOf } from './ranges.ts';
import { type Sum, sumOf } from './sums.ts';

export type Test = (text: string) => boolean;
export type Pattern =
  | { readonly ok: true; readonly test: Test; /** The same for RE2. */ readonly source: string }
  | { readonly ok: false; readonly message: string };

/** A regular expression for names; upper and lower case are one unless the text holds an upper-case letter. */
export function parsePattern(text: string): Pattern {
  if (text.length > 1000) return { ok: false, message: 'longer than 1,000 characters' };
  // `\S` and `\B` are classes, not upper-case letters that somebody looks for.
  const isExact = /\p{Lu}/u.test(text.replaceAll(/\\./gu, ''));
  try {
    const pattern = new RegExp(text, isExact ? 'u' : 'iu');
    return { ok: true, test: (name) => pattern.test(name), source: isExact ? text : `(?i)${text}` };
  } catch (error) {
    return { ok: false, message: error instanceof Error ? error.message.replace(/^.*: /u, '') : String(error) };
  }
}

/** A pattern for this one name. */
export function exactly(name: string): string {
  return `^${name.replaceAll(/[.*+?^${}()|[\]\\/]/gu, String.raw`\$&`)}$`;
}

export interface Matches {
  /** 1 for each frame that matches. */
  readonly frames: Uint8Array;
  /** Functions that match in view. */
  readonly functions: number;
  /** The matching nodes in view that have no other above them there, in order of rows. */
  readonly nodes: readonly number[];
  /** Value of the samples that pass through at least one match below the roots asked for, each sample once. */
  readonly union: Sum;
  /** False where a file or a binary decided: a function that lies in several is told apart by samples, not by this tree. */
  readonly isByName: boolean;
}

/**
 * As `go tool pprof -focus` counts. `roots`: the nodes in view, none of them below another; a match above them does not
 * count: everything in view would lie below it.
 */
export function findMatches(tree: TreeShape, weights: Weights, roots: readonly number[], test: Test): Matches {
  return matchesBelow(tree, weights, roots, matchingFrames(tree.frames, test));
}

/** The same where it is known which frames match: they are the same at every zoom. */
export function matchesBelow(
  tree: TreeShape,
  weights: Weights,
  roots: readonly number[],
  { frames, isByName }: MatchingFrames,
): Matches {
  const seen = new Uint8Array(tree.frames.length);
  const nodes: number[] = [];
  const { frame, end } = tree;
  for (const { from, until } of rangesOf(tree, roots)) {
    let covered = from;
    for (let node = from; node < until; node++) {
      const row = frame[node] ?? 0;
      if (frames[row] === 0) continue;
      seen[row] = 1;
      if (node < covered) continue;
      covered = end[node] ?? until;
      nodes.push(node);
    }
  }
  return { frames, functions: seen.reduce((sum, one) => sum + one, 0), nodes, union: sumOf(weights, nodes), isByName };
}

/** Whether a frame's function, file or binary matches. */
export function frameTextMatches(
  { name, file, binary }: { readonly name: string; readonly file: string; readonly binary: string },
  test: Test,
): boolean {
  return test(name) || (file !== '' && test(file)) || (binary !== '' && test(binary));
}

export type MatchingFrames = Pick<Matches, 'frames' | 'isByName'>;

/** Each name is tested once. */
export function matchingFrames(frames: Frames, test: Test): MatchingFrames {
  const known = new Map<string, boolean>();
  const once = (text: string): boolean => {
    const verdict = known.get(text) ?? test(text);
    known.set(text, verdict);
    return verdict;
  };
  const found = new Uint8Array(frames.length);
  let isByName = true;
  for (let row = 1; row < frames.length; row++) {
    // Groups are values of a label: no frames to pprof.
    if (frames.kind[row] === 'group' || frames.kind[row] === 'root') continue;
    const text = { name: frames.name[row] ?? '', file: frames.file[row] ?? '', binary: frames.binary[row] ?? '' };
    if (!frameTextMatches(text, once)) continue;
    found[row] = 1;
    if (!once(text.name)) isByName = false;
  }
  return { frames: found, isByName };
}
