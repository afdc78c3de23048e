import { logBeta } from './log-gamma.ts';

/**
 * Probabilities of 0…trials successes of a binomial whose chance is spread as a beta distribution, so that its variance is
 * `dispersion` times the binomial one: with mean m and intra-class correlation ρ = (dispersion − 1)/(trials − 1), α = m(1/ρ − 1), β =
 * (1 − m)(1/ρ − 1). `dispersion` ≤ 1 is the plain binomial; it cannot exceed `trials` (all or none) and is cut below it.
 */
export function betaBinomial(successes: number, trials: number, mean: number, dispersion: number): number {
  const logChoose = -Math.log(trials + 1) - logBeta(trials - successes + 1, successes + 1);
  const rho = trials > 1 ? Math.min((dispersion - 1) / (trials - 1), 0.999) : 0;
  if (!(rho > 1e-12))
    return Math.exp(logChoose + successes * Math.log(mean) + (trials - successes) * Math.log1p(-mean));
  const alpha = mean * (1 / rho - 1);
  const beta = (1 - mean) * (1 / rho - 1);
  return Math.exp(logChoose + logBeta(successes + alpha, trials - successes + beta) - logBeta(alpha, beta));
}

/**
 * Exact conditional test of a count against another: given their sum, `after` is (beta-)binomial with the chance
 * `exposureAfter / (exposureBefore + exposureAfter)` when nothing changed. Two-sided by doubling the smaller tail, at most 1. The
 * sum runs over the smaller count only, so callers keep that one small (rare functions: < 30; new and gone ones: 0).
 * Source: Przyborowski & Wilenski, Biometrika 31 (1940); beta-binomial: Skellam, JRSS B 10 (1948).
 */
export function conditionalTest(before: number, after: number, chanceAfter: number, dispersion: number): number {
  const trials = before + after;
  if (trials === 0) return 1;
  // Beyond a thousand the counts of the two sides are both far from "rare": that is a mistake of the caller.
  const small = Math.min(before, after);
  if (small > 1000)
    throw new RangeError(`conditionalTest is for rare functions, not for counts of ${before} and ${after}`);
  // Either tail may be the small one when the exposures differ: both are summed from the end of the smaller count.
  const chanceSmall = after <= before ? chanceAfter : 1 - chanceAfter;
  let upToSmall = 0;
  let atSmall = 0;
  for (let k = 0; k <= small; k++) {
    atSmall = betaBinomial(k, trials, chanceSmall, dispersion);
    upToSmall += atSmall;
  }
  return Math.min(1, 2 * Math.min(upToSmall, 1 - upToSmall + atSmall));
}
