import { CompareFailure } from '../compare-failure.ts';
import type { SideCounts } from './side-counts.ts';

/** Units of one side: a fleet beyond this is grouped by the caller (by zone, say) before it is compared. */
export const MAX_UNITS = 100_000;

/**
 * The invariants of a side: shapes agree, counts are whole and within 2^53, units ascend within a function and are named
 * once, no function has more inclusive samples on a unit than the unit has, self counts of a unit sum to no more than that.
 * Throws `CompareFailure`.
 */
export function checkCounts(side: SideCounts, functions: number): void {
  const units = side.unitNames.length;
  const cells = side.cellUnit.length;
  if (units > MAX_UNITS) throw new CompareFailure('too_large', `${units} units on one side; the limit is ${MAX_UNITS}`);
  if (
    side.functionStart.length !== functions + 1 ||
    side.functionStart[0] !== 0 ||
    side.functionStart[functions] !== cells ||
    side.cellSelf.length !== cells ||
    side.cellInclusive.length !== cells ||
    side.unitSamples.length !== units ||
    side.unitSeconds.length !== units ||
    (side.unitRequests !== null && side.unitRequests.length !== units)
  )
    throw new CompareFailure('bad_shape', `columns of ${side.version} differ in length`);
  if (new Set(side.unitNames).size !== units)
    throw new CompareFailure('duplicate_unit', `a unit of ${side.version} is named twice`);
  if (!(side.secondsPerSample > 0 && Number.isFinite(side.secondsPerSample)))
    throw new CompareFailure('bad_count', `seconds per sample of ${side.version}: ${side.secondsPerSample}`);
  for (let u = 0; u < units; u++) {
    checkCount(side.unitSamples[u] ?? 0);
    const seconds = side.unitSeconds[u] ?? 0;
    const requests = side.unitRequests?.[u] ?? 0;
    if (!(seconds >= 0 && Number.isFinite(seconds) && requests >= 0 && Number.isFinite(requests)))
      throw new CompareFailure('bad_count', `seconds or requests of ${side.unitNames[u]}: ${seconds}, ${requests}`);
  }
  checkCells(side, functions);
}

function checkCells(side: SideCounts, functions: number): void {
  const selfSum = new Float64Array(side.unitNames.length);
  for (let f = 0; f < functions; f++) {
    const end = side.functionStart[f + 1] ?? 0;
    let previous = -1;
    for (let i = side.functionStart[f] ?? 0; i < end; i++) {
      const unit = side.cellUnit[i] ?? 0;
      if (unit <= previous || unit >= selfSum.length)
        throw new CompareFailure('bad_shape', `units of function ${f} do not ascend`);
      previous = unit;
      const self = side.cellSelf[i] ?? 0;
      const inclusive = side.cellInclusive[i] ?? 0;
      checkCount(self);
      checkCount(inclusive);
      selfSum[unit] = (selfSum[unit] ?? 0) + self;
      if (self > inclusive || inclusive > (side.unitSamples[unit] ?? 0))
        throw new CompareFailure(
          'more_than_all',
          `function ${f} on ${side.unitNames[unit]}: self ${self}, inclusive ${inclusive}, all samples ${side.unitSamples[unit]}`,
        );
    }
  }
  for (let u = 0; u < selfSum.length; u++) {
    if ((selfSum[u] ?? 0) > (side.unitSamples[u] ?? 0))
      throw new CompareFailure('more_than_all', `self counts of ${side.unitNames[u]} sum to more than its samples`);
  }
}

function checkCount(value: number): void {
  if (!(Number.isSafeInteger(value) && value >= 0)) throw new CompareFailure('bad_count', `a count is ${value}`);
}
