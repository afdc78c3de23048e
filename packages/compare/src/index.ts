export { CompareFailure, type CompareErrorCode } from './compare-failure.ts';
export { type ChangePoint, findChangePoint, type MinuteSeries } from './change-points/change-point.ts';
export {
  type Funnel,
  regressionsOverTime,
  type TimeFinding,
  type TimeInput,
} from './change-points/regressions-over-time.ts';
export { compare, concluded, isChange, MIN_UNITS, type Prepared, prepare } from './compare.ts';
export type {
  Change,
  CompareInput,
  CompareOptions,
  Comparison,
  FunctionComparison,
  NotTested,
  SideSummary,
  Summary,
} from './comparison.ts';
export type { Verdict } from './verdict.ts';
export { withLines } from './lines/compare-lines.ts';
export type { LineComparison } from './lines/line-comparison.ts';
export { countLines, type LineCells, type LineSide } from './lines/line-counts.ts';
export { sentenceOf } from './sentence-of.ts';
export { CountsBuilder, type IntervalCounts } from './counts/counts-builder.ts';
export { checkCounts } from './counts/check-counts.ts';
export { chooseUnits, type ChosenUnits, type SampleOrigin } from './counts/choose-units.ts';
export type { FunctionNames, SideCounts, UnitKind } from './counts/side-counts.ts';
export { type Pair, type PastComparison, pastEffects } from './effects/analyse.ts';
export type { Normalisation } from './effects/contrast.ts';
export { type CallTree, NO_FUNCTION } from './explain/call-tree.ts';
export { callTreeOfProfiles, type MergedSide } from './profiles/call-tree-of-profiles.ts';
export { countsOfProfile, functionIdsOf, type GroupCounts } from './profiles/counts-of-profile.ts';
export { type FunctionWeights, type Places, placesOf } from './profiles/places.ts';
export { FunctionTable } from './profiles/function-table.ts';
export { answerOf, type ComparedSide } from './answer-of.ts';
export { lookShare } from './tests/looks.ts';
export { blindness } from './tests/relevant-effect.ts';
