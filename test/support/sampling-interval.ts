/**
 * Two-sided 99.999 % of the normal distribution. One run of all tests judges a few hundred shares: at 99.9 % one healthy run in four would
 * fail, at this one in some 300.
 */
const z = 4.42;

/**
 * How far a share measured by `samples` independent samples may lie from the true `share`: the normal interval of a binomial
 * proportion at 99.999 %, and half a sample for its discreteness.
 */
export function samplingError(share: number, samples: number): number {
  return z * Math.sqrt((share * (1 - share)) / samples) + 0.5 / samples;
}
