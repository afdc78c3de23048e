import type { Change, Comparison, FunctionComparison, SideSummary } from './comparison.ts';
import { sentenceOf } from './sentence-of.ts';

/** Where a side's samples are from. */
export interface ComparedSide {
  /** Selector, or names of files. */
  readonly query: string;
  /** Unix ms; the end is exclusive. */
  readonly from: number;
  readonly until: number;
  /** Profiles behind it. */
  readonly profiles: number;
  /** Exact sum of the values of all samples, as the flame graph of the same range has it. */
  readonly total: bigint;
}

/** What is compared, beside the counts. */
export interface AnswerHead {
  /** `''` when the sides are not two versions of one service. */
  readonly service: string;
  readonly profileType: string;
  readonly unit: string;
  readonly before: ComparedSide;
  readonly after: ComparedSide;
  /** Past comparisons without a deployment that the intervals know of. */
  readonly past: number;
  /** Units that stayed on the before side and were compared with themselves. */
  readonly controls: number;
  readonly minEffect: number;
  readonly q: number;
}

/**
 * A comparison as everyone is answered, over HTTP and in files, in shapes that JSON holds: functions without their ids, and `null` for a limit
 * that is infinite.
 */
export function answerOf(comparison: Comparison, head: AnswerHead) {
  const { summary } = comparison;
  const { before, after, past, controls, minEffect, q, ...about } = head;
  return {
    ...about,
    sentence: sentenceOf(comparison),
    summary: {
      ...summary,
      before: sideOf(summary.before, before),
      after: sideOf(summary.after, after),
      change: changeOf(summary.change),
      equalWork: changeOf(summary.equalWork),
      cores: changeOf(summary.cores),
      request: changeOf(summary.request),
      lead:
        summary.lead === null ? null : { name: summary.lead.name, file: summary.lead.file, part: summary.lead.part },
      past,
      controls,
      minEffect,
      q,
    },
    functions: comparison.functions.map(rowOf),
    mde: finite(comparison.mde),
    assumptions: [...comparison.assumptions],
    notTested: [...comparison.notTested],
  };
}

function sideOf(side: SideSummary, { total, ...where }: ComparedSide) {
  return {
    ...where,
    total: String(total),
    ...side,
    coresInterval: limitsOf(side.coresInterval),
    secondsPerRequestInterval: limitsOf(side.secondsPerRequestInterval),
  };
}

function rowOf(row: FunctionComparison) {
  const { id, carrier, ...rest } = row;
  void id;
  return {
    ...rest,
    interval: limitsOf(row.interval),
    mde: finite(row.mde),
    carrier: carrier === null ? null : { name: carrier.name, file: carrier.file, stack: [...carrier.stack] },
    lines: row.lines === null ? null : row.lines.map((line) => ({ ...line, interval: limitsOf(line.interval) })),
  };
}

function changeOf(change: Change | null) {
  return change === null
    ? null
    : { change: change.change, interval: limitsOf(change.interval), mde: finite(change.mde) };
}

function limitsOf(interval: readonly [low: number, high: number] | null): [number, number | null] | null {
  return interval === null ? null : [interval[0], finite(interval[1])];
}

function finite(value: number | null): number | null {
  return value !== null && Number.isFinite(value) ? value : null;
}
