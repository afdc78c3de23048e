import type { Verdict } from '../verdict.ts';

/** A source line of a function on both sides; the fields mean what they mean for functions. */
export interface LineComparison {
  /** null when that side has none. */
  readonly lineBefore: number | null;
  readonly lineAfter: number | null;
  readonly before: number;
  readonly after: number;
  readonly change: number | null;
  readonly interval: readonly [low: number, high: number] | null;
  readonly q: number | null;
  readonly verdict: Verdict;
  readonly verdictText: string;
  readonly samplesBefore: number;
  readonly samplesAfter: number;
}
