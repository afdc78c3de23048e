/**
 * The data model of a comparison: sample counts of units × functions, on two sides.
 *
 *     side (before | after)          unit = host, else pod, else process, else time block
 *     ├─ units      samples, seconds, requests           one row per unit
 *     └─ functions  → (unit, self, inclusive) …          one run of rows per function, units ascending
 *
 * Counts are samples, never nanoseconds: the statistics need what was counted. They are whole numbers, exact to
 * 2^53. Function ids are dense and shared by both sides, controls, the past and the call tree of one comparison. A cell that is
 * not there is zero, so that 5,000 functions of which a host runs 800 cost 800.
 *
 * `inclusive` counts a sample once however often the function is on its stack: recursion is the caller's duty, because only
 * who walks the stack can see it. `checkCounts` refuses the double counting that shows (more than all samples).
 */
export interface SideCounts {
  /** What the side is called in sentences: a version. */
  readonly version: string;
  /** Name of each unit; the same name on both sides is the same unit, which pairs them. */
  readonly unitNames: readonly string[];
  /** All samples of the unit, those without any function included. */
  readonly unitSamples: Float64Array;
  /** Seconds that instances of the service were watched on the unit: 2 instances for 60 s are 120. Zeros when not known. */
  readonly unitSeconds: Float64Array;
  /** Requests served by the unit, or null when nobody counted. */
  readonly unitRequests: Float64Array | null;
  /** CPU seconds that one sample stands for: 1/99 at 99 Hz. */
  readonly secondsPerSample: number;
  /** Cells of function `f` are rows `functionStart[f]` to `functionStart[f + 1]`. Length functions + 1. */
  readonly functionStart: Uint32Array;
  readonly cellUnit: Uint32Array;
  readonly cellSelf: CountColumn;
  readonly cellInclusive: CountColumn;
}

/** Whole numbers, in 32 bits where all of them fit. */
export type CountColumn = Uint32Array | Float64Array;

/** Names of the functions, by id. */
export interface FunctionNames {
  readonly name: readonly string[];
  /** Source file, `''` when not known. */
  readonly file: readonly string[];
}

/** `file`: each of several recorded profiles is a unit. */
export type UnitKind = 'host' | 'pod' | 'process' | 'block' | 'file';

/** Which of the two lists of counts: inclusive finds a change, self says where it is. */
export type CountList = 'inclusive' | 'self';

/** The cells of one of the lists. */
export function cellsOf(side: SideCounts, list: CountList): CountColumn {
  return list === 'self' ? side.cellSelf : side.cellInclusive;
}

export function functionCountOf(side: SideCounts): number {
  return side.functionStart.length - 1;
}

/** Sum of a function's cells over the units: what the plain flame graph of the same range shows. */
export function samplesOf(side: SideCounts, list: CountList, id: number): number {
  const cells = cellsOf(side, list);
  const end = side.functionStart[id + 1] ?? 0;
  let sum = 0;
  for (let i = side.functionStart[id] ?? 0; i < end; i++) sum += cells[i] ?? 0;
  return sum;
}

export function sumOf(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}
