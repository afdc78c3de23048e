import type { FunctionNames, SideCounts, UnitKind } from './counts/side-counts.ts';
import type { Pair, PastComparison } from './effects/analyse.ts';
import type { Normalisation } from './effects/contrast.ts';
import type { CallTree } from './explain/call-tree.ts';
import type { LineComparison } from './lines/line-comparison.ts';
import type { Verdict } from './verdict.ts';

export interface CompareInput {
  readonly before: SideCounts;
  readonly after: SideCounts;
  readonly functions: FunctionNames;
  readonly kind: UnitKind;
  /** Hosts behind the units, when units are pods or processes: one host is said so. */
  readonly hosts?: number;
  /** The part of the fleet that stayed on the old version, in the same two windows. */
  readonly controls?: Pair;
  /** Comparisons of the past without a deployment (`pastEffects`), of the same normalisation; from 5 on they count. */
  readonly past?: readonly PastComparison[];
  /** The past was taken at the same time of day as this comparison: its mean is the daily cycle. Default false. */
  readonly pastAligned?: boolean;
  /** Names on the before side of functions that were matched across another line of their file (`placesOf`), by id. */
  readonly formerNames?: ReadonlyMap<number, string>;
  /** Merged call tree of both sides, to say which stack carries a change. */
  readonly tree?: CallTree;
  /** The after side over a longer or later window, to see whether a change lasts; it is held against `before`, without controls. */
  readonly extended?: SideCounts;
  readonly options?: CompareOptions;
}

export interface CompareOptions {
  /** Default `share`. */
  readonly normalisation?: Normalisation;
  /** What is counted as requests: `request` when left out. */
  readonly requestKind?: RequestKind;
  /** Smallest relative change that matters. Default 0.02. */
  readonly minEffect?: number;
  /** Smallest absolute change that matters, as a part of the whole service. Default 0.00005: the smallest regression that FBDetect's authors confirmed. */
  readonly minPart?: number;
  /** False discovery rate of the findings. Default 0.05. */
  readonly q?: number;
  /** 1, 2, 3, … when the comparison is repeated as data comes in: see `lookShare`. Left out: the only look. */
  readonly look?: number;
}

export interface FunctionComparison {
  readonly id: number;
  readonly name: string;
  readonly file: string;
  /** What the before side calls it, where that is another name; else null. */
  readonly nameBefore: string | null;
  /** Inclusive rate in the unit of the normalisation: a share, cores per instance, or CPU seconds per request. */
  readonly before: number;
  readonly after: number;
  /** Cores per instance; null when seconds are not known. */
  readonly cores: { readonly before: number; readonly after: number } | null;
  /** Relative change that was tested: 0.3 is +30 %; what all functions share (dilution) and the daily drift are off it. null when one side is 0. */
  readonly change: number | null;
  /** Of `change`, at 95 % (more at repeated looks). */
  readonly interval: readonly [low: number, high: number] | null;
  /** after/before − 1 as the flame graphs show it; null when one side is 0. */
  readonly rawChange: number | null;
  /** Absolute change as a part of the whole service before, dilution taken off. */
  readonly part: number;
  /** Self cost's part of `part`. */
  readonly selfPart: number;
  readonly p: number | null;
  readonly q: number | null;
  readonly verdict: Verdict;
  /** The verdict for people: "moved within billing.ts", "weak evidence: 1 host". */
  readonly verdictText: string;
  /** Where the evidence leans when the verdict is no finding but the interval excludes what does not matter. */
  readonly lean: 'regressed' | 'improved' | null;
  /** Relative change that would have been a finding with probability 0.8; null when it cannot be said. */
  readonly mde: number | null;
  readonly samplesBefore: number;
  readonly samplesAfter: number;
  readonly selfBefore: number;
  readonly selfAfter: number;
  /** Units that have samples of it. */
  readonly units: { readonly before: number; readonly after: number };
  readonly movedWithin: string | null;
  /** Why the share changed though the cost did not. */
  readonly dilutedBy: string | null;
  /** The stack that carries the change, root first, and the function at its end; null without a tree, and where nothing changed. */
  readonly carrier: {
    readonly id: number;
    readonly name: string;
    readonly file: string;
    readonly stack: readonly string[];
  } | null;
  readonly persistence: 'lasts' | 'went away' | 'not checked';
  /** Source lines, the largest change first; null when they were not looked at: see `withLines`. */
  readonly lines: readonly LineComparison[] | null;
}

export interface Change {
  /** Relative: 0.08 is +8 %. */
  readonly change: number;
  readonly interval: readonly [low: number, high: number];
  readonly mde: number;
}

/** `run`: of a command, from its start to its end. */
export type RequestKind = 'request' | 'run';

export interface SideSummary {
  readonly version: string;
  readonly units: number;
  readonly samples: number;
  /** CPU in cores per instance, and its 95 % interval; null when seconds are not known. */
  readonly cores: number | null;
  readonly coresInterval: readonly [low: number, high: number] | null;
  readonly secondsPerRequest: number | null;
  readonly secondsPerRequestInterval: readonly [low: number, high: number] | null;
}

export interface Summary {
  readonly before: SideSummary;
  readonly after: SideSummary;
  readonly normalisation: Normalisation;
  readonly unitKind: UnitKind;
  readonly pairedUnits: number;
  /** `null` when five units or more stand behind it, else the reason: "1 host". */
  readonly weakEvidence: string | null;
  readonly verdict: 'regressed' | 'improved' | 'unchanged' | 'not enough data' | 'weak evidence';
  /** `cost`: the same work costs more or less. `moved`: only its place changed. `load`: more or less work, at the same cost. */
  readonly nature: 'cost' | 'moved' | 'load' | 'none';
  /** What the verdict is about. `equal work`: against the functions that did not change. */
  readonly basis: 'request' | 'equal work' | 'cores' | null;
  readonly change: Change | null;
  readonly equalWork: Change | null;
  readonly cores: Change | null;
  readonly request: Change | null;
  readonly requestKind: RequestKind;
  /** The function that carries most of the change, and how much of it. */
  readonly lead: {
    readonly id: number;
    readonly name: string;
    readonly file: string;
    readonly part: number | null;
  } | null;
  readonly counts: Readonly<Record<Verdict, number>>;
  readonly look: number | null;
}

export interface NotTested {
  readonly reason: string;
  readonly functions: number;
  readonly samples: number;
}

export interface Comparison {
  readonly summary: Summary;
  /** All functions of either side; findings first, those that carry their change themselves before their callers, the largest first. */
  readonly functions: readonly FunctionComparison[];
  /** Relative change of the whole that would have been a finding with probability 0.8; null when it cannot be said. */
  readonly mde: number | null;
  readonly assumptions: readonly string[];
  readonly notTested: readonly NotTested[];
}
