/** Two-sided 99.9 % of the normal distribution. With a few shares in each of a few tests, 99 % would fail one healthy run in ten. */
const z = 3.29;

/**
 * How far a share measured by `samples` independent samples may lie from the true `share`: the normal interval of a binomial
 * proportion at 99.9 %, and half a sample for its discreteness.
 */
export function samplingError(share: number, samples: number): number {
  return z * Math.sqrt((share * (1 - share)) / samples) + 0.5 / samples;
}
