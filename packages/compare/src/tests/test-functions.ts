import { isNameless } from '../counts/nameless.ts';
import type { Analysis } from '../effects/analyse.ts';
import { isTestable, MIN_SAMPLES } from '../effects/effect-table.ts';
import { benjaminiHochberg, rejectionThreshold } from './benjamini-hochberg.ts';
import { type RareTest, testRare } from './rare-function.ts';
import { relevantEffectP } from './relevant-effect.ts';
import { testWeights } from './test-weights.ts';

/** p-values of all functions in one list, with the two families of tests apart. */
export interface Tested {
  readonly p: Float64Array;
  readonly q: Float64Array;
  readonly rare: readonly (RareTest | null)[];
  /** The p that one more finding of weight 1 would need. */
  readonly threshold: number;
  /** By which each function's part of the error budget differs from an even one. */
  readonly weight: Float64Array;
}

/**
 * The inclusive list finds changes; the self list only says where they are, so it is no second family of tests. `beside`: the same functions divided by something else, in
 * which a change must show as well; the larger p counts (Berger's intersection-union test, Technometrics 24 (1982)).
 */
export function testFunctions(
  analysis: Analysis,
  beside: Analysis | null,
  names: readonly string[],
  least: number,
  q: number,
): Tested {
  const { table, theta, contrast, moderated } = analysis;
  const functions = theta.length;
  const p = new Float64Array(functions).fill(Number.NaN);
  const extra = analysis.wanderingSd ** 2 + (analysis.driftSd ?? 0) ** 2;
  const isTested = (f: number): boolean => isTestable(table, f) && !isNameless(names[f] ?? '');
  const weight = testWeights(contrast, table, isTested, moderated.dispersionAt, extra, q);
  const ofRare = new Float64Array(functions).fill(Number.NaN);
  const rare: (RareTest | null)[] = [];
  for (let f = 0; f < functions; f++) {
    if (isNameless(names[f] ?? '')) {
      rare.push(null);
      continue;
    }
    if (isTested(f)) p[f] = largerP(f, analysis, beside, least);
    const test = rareTest(f, analysis, beside);
    rare.push(test);
    if (test === null) continue;
    // With `MIN_SAMPLES` or more, new and gone functions belong with the others; the rarer ones, which seldom can be found, must not cost these power.
    if ((table.before[f] ?? 0) + (table.after[f] ?? 0) >= MIN_SAMPLES) p[f] = test.p;
    else ofRare[f] = test.p;
  }
  const qs = benjaminiHochberg(p.map((value, f) => Math.min(1, value / weightOf(weight, f))));
  const rareQ = benjaminiHochberg(ofRare);
  const threshold = rejectionThreshold(qs, q);
  for (let f = 0; f < functions; f++) {
    if (Number.isNaN(ofRare[f])) continue;
    p[f] = ofRare[f] ?? 1;
    qs[f] = rareQ[f] ?? 1;
  }
  return { p, q: qs, rare, threshold, weight };
}

/** New and gone functions of many samples have an even part of the budget. */
export function weightOf(weight: Float64Array, id: number): number {
  const own = weight[id] ?? Number.NaN;
  return Number.isNaN(own) ? 1 : own;
}

function largerP(id: number, analysis: Analysis, beside: Analysis | null, least: number): number {
  const p = effectP(id, analysis, least);
  if (beside === null) return p;
  return isSameWay(id, analysis, beside) ? Math.max(p, effectP(id, beside, least)) : 1;
}

/** Does a function grow in both, or shrink in both? */
export function isSameWay(id: number, one: Analysis, other: Analysis): boolean {
  return (one.theta[id] ?? 0) * (other.theta[id] ?? 0) > 0;
}

function effectP(id: number, { theta, variance, df }: Analysis, least: number): number {
  return relevantEffectP(theta[id] ?? 0, least, variance[id] ?? 0, df[id] ?? 0);
}

function rareTest(id: number, analysis: Analysis, beside: Analysis | null): RareTest | null {
  const [test, other] = [analysis, beside].map((one) =>
    one === null ? null : testRare(one.contrast, 'inclusive', id, one.moderated.dispersionAt, one.wanderingSd ** 2),
  );
  if (!test) return null;
  return other ? { ...test, p: Math.max(test.p, other.p) } : test;
}
