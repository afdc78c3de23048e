import { baseName } from './base-name.ts';
import type { PlantedTruth } from './planted-truth.ts';
import type { SeenFrame, SeenStack } from './seen-stacks.ts';

/** What the planted chain says about the stacks of a program, as counts of samples. */
export interface ChainVerdict {
  /** Frame by frame as planted, to where the sample was. */
  asPlanted: number;
  /** Something is missing or too much. */
  broken: number;
  /** In nothing planted: the program's start and end. */
  outside: number;
  /** Samples by the planted function that they are in (the innermost, when one interrupts another). */
  readonly inFunction: Map<string, number>;
  /** Some of the broken stacks, drawn root first. */
  readonly examples: string[];
}

const mostExamples = 5;

/** `cut` are stacks that count for the function that they are in, and are not asked for their callers. */
export function judgeChains(
  stacks: readonly SeenStack[],
  truth: PlantedTruth,
  cut: readonly SeenStack[] = [],
): ChainVerdict {
  const planted = new Set(truth.totals.keys());
  const callers = new Set(truth.chains.flat().filter((name) => name !== '*'));
  const vocabulary = new Set([...planted, ...callers]);
  const verdict: ChainVerdict = { asPlanted: 0, broken: 0, outside: 0, inFunction: new Map(), examples: [] };
  const enter = ({ user, count }: SeenStack): { names: string[]; inner: string | undefined } => {
    const names = user.map((frame) => baseName(frame.name, vocabulary));
    const inner = names.findLast((name) => planted.has(name));
    if (inner !== undefined) verdict.inFunction.set(inner, (verdict.inFunction.get(inner) ?? 0) + count);
    return { names, inner };
  };
  for (const stack of cut) enter(stack);
  for (const stack of stacks) {
    const { user, count } = stack;
    if (user.length === 0) continue;
    const { names, inner } = enter(stack);
    const outcome = judge(names, truth.chains, callers, inner);
    verdict[outcome] += count;
    if (outcome === 'broken' && verdict.examples.length < mostExamples) verdict.examples.push(drawStack(user));
  }
  return verdict;
}

function judge(
  names: readonly string[],
  chains: PlantedTruth['chains'],
  callers: ReadonlySet<string>,
  inner: string | undefined,
): 'asPlanted' | 'broken' | 'outside' {
  let isKnown = inner !== undefined;
  for (const chain of chains) {
    // The last: in Rust and Go the language's own main calls the program's.
    const start = names.lastIndexOf(chain[0] ?? '');
    if (start === -1) continue;
    isKnown = true;
    const { depth, next } = follow(names, start, chain);
    const rest = names.slice(next);
    const isWhole = depth === chain.length;
    const mustBeWhole = inner !== undefined && inner !== 'planted_handler';
    if (rest.every((name) => !callers.has(name)) && (isWhole || !mustBeWhole)) return 'asPlanted';
  }
  return isKnown || names.some((name) => callers.has(name)) ? 'broken' : 'outside';
}

/** How many links of the chain stand there from `start` on, and where they end. */
function follow(names: readonly string[], start: number, chain: readonly string[]): { depth: number; next: number } {
  let at = start;
  let depth = 0;
  while (depth < chain.length && at < names.length) {
    if (chain[depth] === '*') {
      const found = names.indexOf(chain[depth + 1] ?? '', at);
      // The sample was taken in what is not planted.
      if (found === -1) break;
      at = found;
      depth++;
    }
    if (names[at] !== chain[depth]) break;
    at++;
    depth++;
  }
  return { depth, next: at };
}

export function drawStack(user: readonly SeenFrame[]): string {
  return user.map(({ name, file, address }) => name || `${file}+${address.toString(16)}`).join(' > ');
}
