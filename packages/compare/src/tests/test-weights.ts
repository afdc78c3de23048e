import { normalUpper } from '../distributions/normal.ts';
import type { Contrast } from '../effects/contrast.ts';
import type { EffectTable } from '../effects/effect-table.ts';

/** ln units beyond the minimum effect: changes of about 4, 10, 25 and 100 % that the budget is spent for, in equal parts. */
const SIZES: readonly number[] = [0.04, 0.1, 0.22, 0.7];
/** The part of the budget that all functions have alike: nothing is ruled out beforehand. */
const EVEN_PART = 1 / (SIZES.length + 1);
/** Functions whose samples differ by less than a tenth have one weight: it follows from their number alone. */
const STEPS_PER_E_FOLD = 10;
/** Halvings of the range in which the level is sought: what is left of it moves no weight by a thousandth. */
const HALVINGS = 25;

/** Functions of about so many samples. */
interface Group {
  readonly sd: number;
  readonly share: number;
  count: number;
}

/**
 * How much of the error budget each test may spend, mean 1; NaN where there is no t test. Of two thousand functions most have so few samples that no
 * change of theirs could show. Tested on a par with the others they cost these most of their power: the limit of one finding is a two-thousandth
 * of 5 %. Weighted p-values p/w keep the false discovery rate whatever the weights, as long as these do not look at who changed (Genovese, Roeder &
 * Wasserman, Biometrika 93 (2006)). Here they look at the samples of both sides together, at how much functions of so many samples vary, and at nothing else.
 *
 * Given a change of ln size δ and a standard error s, w = (m/q)·Φ̄(μ/2 + (c − ln share)/μ), μ = δ/s, finds the most CPU time: it is the
 * optimum of Roeder & Wasserman (Stat. Sci. 24 (2009), eq. 8) for the sum over functions of power × share; c makes the mean 1. Nobody knows
 * δ beforehand, so that each of four sizes has a fifth of the budget, and all functions alike the last one.
 */
export function testWeights(
  contrast: Contrast,
  table: EffectTable,
  isTested: (id: number) => boolean,
  dispersionAt: (samples: number) => number,
  extraVariance: number,
  q: number,
): Float64Array {
  const functions = table.theta.length;
  const weights = new Float64Array(functions).fill(Number.NaN);
  const groups = new Map<number, Group>();
  const groupOf = new Map<number, Group>();
  const [before, after] = contrast.cells;
  let tested = 0;
  for (let f = 0; f < functions; f++) {
    if (!isTested(f)) continue;
    tested++;
    const samples = (table.before[f] ?? 0) + (table.after[f] ?? 0);
    const share = samples / (before.exposureSum + after.exposureSum);
    const key = Math.round(STEPS_PER_E_FOLD * Math.log(samples));
    let group = groups.get(key);
    if (group === undefined) {
      // What Var θ would be if the samples were divided between the sides as the exposure is.
      const rest = contrast.normalisation === 'share' ? Math.max(1 - share, 0) : 1;
      const binomial = (rest / share) * (1 / before.exposureSum + 1 / after.exposureSum);
      group = { sd: Math.sqrt(dispersionAt(samples) * binomial + extraVariance), share, count: 0 };
      groups.set(key, group);
    }
    group.count++;
    groupOf.set(f, group);
  }
  const all = [...groups.values()];
  const weightOf = new Map(all.map((group) => [group, EVEN_PART]));
  for (const size of SIZES) {
    const spent = spentOn(size, all, q / tested);
    for (const [i, group] of all.entries())
      weightOf.set(group, (weightOf.get(group) ?? 0) + (EVEN_PART * (spent[i] ?? 0) * tested) / q);
  }
  for (const [f, group] of groupOf) weights[f] = weightOf.get(group) ?? 1;
  return weights;
}

/** The p at which a function of each group is a finding, so that their mean is `each` and most CPU time is found of what changed by `size`. */
function spentOn(size: number, groups: readonly Group[], each: number): Float64Array {
  const count = groups.reduce((sum, group) => sum + group.count, 0);
  const at = (level: number): Float64Array =>
    Float64Array.from(groups, ({ sd, share }) => {
      const expected = size / sd;
      return normalUpper(expected / 2 + (level - Math.log(share)) / expected);
    });
  let [low, high] = [-100, 100];
  for (let i = 0; i < HALVINGS; i++) {
    const middle = (low + high) / 2;
    const spent = at(middle).reduce((sum, p, g) => sum + p * (groups[g]?.count ?? 0), 0);
    if (spent > each * count) low = middle;
    else high = middle;
  }
  return at(high);
}
