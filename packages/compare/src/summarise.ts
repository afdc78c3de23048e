import type { Change, CompareInput, FunctionComparison, SideSummary, Summary } from './comparison.ts';
import type { Verdict } from './verdict.ts';
import { sumOf } from './counts/side-counts.ts';
import type { Analyses } from './effects/analyse.ts';
import { MIN_FUNCTIONS } from './effects/composition.ts';
import { Contrast, isExposureKnown, type Normalisation } from './effects/contrast.ts';
import { MIN_PAST } from './effects/placebo.ts';
import { blindness, detectableEffect, relevantEffectP, TQuantiles } from './tests/relevant-effect.ts';

/** An estimate of ln change with what is needed to test it. */
interface Estimate {
  readonly theta: number;
  readonly variance: number;
  readonly df: number;
}

/** What the whole service did; `alpha` is the error that this look may spend. */
export function summarise(
  input: CompareInput,
  analyses: Analyses,
  functions: readonly FunctionComparison[],
  weakEvidence: string | null,
  alpha: number,
): Summary {
  const { before, after, options = {} } = input;
  const least = Math.log1p(options.minEffect ?? 0.02);
  const quantiles = new TQuantiles();
  const { contrast } = analyses.inclusive;
  const total = (of: Normalisation): Estimate | null =>
    isExposureKnown([before, after, input.controls?.before, input.controls?.after], of)
      ? totalEstimate(input, of)
      : null;
  const estimates = {
    request: total('request'),
    'equal work': analyses.composition.functions >= MIN_FUNCTIONS ? equalWork(analyses) : null,
    cores: total('cores'),
  };
  const change = (estimate: Estimate | null): Change | null => {
    if (estimate === null || !(estimate.df > 0) || !Number.isFinite(estimate.theta)) return null;
    const reach = quantiles.upper(alpha / 2, estimate.df) * Math.sqrt(estimate.variance);
    return {
      change: Math.expm1(estimate.theta),
      interval: [Math.expm1(estimate.theta - reach), Math.expm1(estimate.theta + reach)],
      mde: Math.expm1(detectableEffect(estimate.variance, estimate.df, least, alpha, quantiles)),
    };
  };
  const basis = (['request', 'equal work', 'cores'] as const).find((name) => change(estimates[name]) !== null) ?? null;
  const chosen = basis === null ? null : estimates[basis];
  const chosenChange = change(chosen);
  // CPU per instance changes with its load, too: it is a cost only for who says that the load was the same.
  const isLoadToo = basis === 'cores' && options.normalisation !== 'cores';
  const found = verdictOf(chosen, chosenChange, weakEvidence, least, alpha);
  const verdict = isLoadToo && (found === 'regressed' || found === 'improved') ? 'not enough data' : found;
  const counts = countVerdicts(functions);
  const changed =
    chosen !== null && !isLoadToo && relevantEffectP(chosen.theta, least, chosen.variance, chosen.df) <= alpha;
  const { cores } = estimates;
  const coresChanged =
    cores !== null && cores.df > 0 && relevantEffectP(cores.theta, least, cores.variance, cores.df) <= alpha;
  return {
    before: sideSummary(input, 'before', alpha),
    after: sideSummary(input, 'after', alpha),
    normalisation: options.normalisation ?? 'share',
    unitKind: input.kind,
    pairedUnits: contrast.paired,
    weakEvidence,
    verdict,
    nature: changed
      ? 'cost'
      : coresChanged && (basis !== 'cores' || isLoadToo)
        ? 'load'
        : counts.moved > 0
          ? 'moved'
          : 'none',
    basis,
    change: chosenChange,
    equalWork: change(estimates['equal work']),
    cores: change(cores),
    request: change(estimates.request),
    requestKind: options.requestKind ?? 'request',
    lead: leadOf(functions, changed && chosenChange !== null ? chosenChange.change : 0),
    counts,
    look: options.look ?? null,
  };
}

function verdictOf(
  chosen: Estimate | null,
  change: Change | null,
  weakEvidence: string | null,
  least: number,
  alpha: number,
): Summary['verdict'] {
  if (weakEvidence !== null) return 'weak evidence';
  if (chosen === null || change === null) return 'not enough data';
  if (relevantEffectP(chosen.theta, least, chosen.variance, chosen.df) <= alpha)
    return chosen.theta > 0 ? 'regressed' : 'improved';
  return change.mde <= blindness(Math.expm1(least)) ? 'unchanged' : 'not enough data';
}

/**
 * Cost of the same work: when all shares but a few fell by a factor, the service grew by its inverse. Needs neither seconds nor requests, and
 * load cancels; it assumes that most functions cost the same per unit of work on both sides.
 */
function equalWork(analyses: Analyses): Estimate {
  const { composition, self } = analyses;
  return {
    theta: -composition.theta,
    variance: composition.variance + (self.driftSd ?? 0) ** 2 / composition.functions,
    df: self.contrast.intervalDf,
  };
}

/** Change of all samples per second of an instance or per request; its drift in the past, when known, is in the variance. */
function totalEstimate(input: CompareInput, normalisation: Normalisation): Estimate {
  const contrast = new Contrast(input, input.controls ?? null, input.kind, normalisation);
  const influence = new Float64Array(contrast.rows);
  const columns = contrast.cells.map((cell) => cell.counts.unitSamples);
  const theta = contrast.effectOf(columns, influence);
  const independent = columns.reduce((sum, column) => sum + 1 / Math.max(sumOf(column), 1), 0);
  const variance = Math.max(contrast.variance(influence), independent);
  const past = (input.past ?? []).map((one) => one.cores.theta).filter((value) => Number.isFinite(value));
  if (normalisation !== 'cores' || input.controls !== undefined || past.length < MIN_PAST)
    return { theta, variance, df: contrast.intervalDf };
  const drift = past.reduce((sum, value) => sum + value * value, 0) / past.length;
  return drift > variance ? { theta, variance: drift, df: past.length } : { theta, variance, df: contrast.intervalDf };
}

function sideSummary(input: CompareInput, which: 'before' | 'after', alpha: number): SideSummary {
  const side = input[which];
  const samples = sumOf(side.unitSamples);
  const seconds = sumOf(side.unitSeconds);
  const requests = side.unitRequests === null ? 0 : sumOf(side.unitRequests);
  return {
    version: side.version,
    units: side.unitNames.length,
    samples,
    cores: seconds > 0 ? (samples * side.secondsPerSample) / seconds : null,
    coresInterval: seconds > 0 ? rateInterval(input, which, 'cores', alpha) : null,
    secondsPerRequest: requests > 0 ? (samples * side.secondsPerSample) / requests : null,
    secondsPerRequestInterval: requests > 0 ? rateInterval(input, which, 'request', alpha) : null,
  };
}

/** 95 % interval (more at repeated looks) of a side's rate of all samples. */
function rateInterval(
  { before, after, kind }: CompareInput,
  which: 'before' | 'after',
  normalisation: Normalisation,
  alpha: number,
): readonly [low: number, high: number] {
  // The other side may lack what this one has: the side is held against itself.
  const side = which === 'before' ? before : after;
  const contrast = new Contrast({ before: side, after: side }, null, kind, normalisation);
  const { variance, df } = contrast.sideVariance(which);
  const rate = contrast.rate(which, sumOf(side.unitSamples));
  const reach = new TQuantiles().upper(alpha / 2, df) * Math.sqrt(variance);
  return [rate * Math.exp(-reach), rate * Math.exp(reach)];
}

function countVerdicts(functions: readonly FunctionComparison[]): Record<Verdict, number> {
  const counts: Record<Verdict, number> = {
    regressed: 0,
    improved: 0,
    unchanged: 0,
    'not enough data': 0,
    moved: 0,
    new: 0,
    gone: 0,
    'weak evidence': 0,
  };
  for (const one of functions) counts[one.verdict]++;
  return counts;
}

/** What of a function's change is its own and not that of what it calls: all where a blame descent ends in it, without a tree its self cost's. */
export function ownPart({ carrier, id, part, selfPart }: FunctionComparison): number {
  return carrier === null ? selfPart : carrier.id === id ? part : 0;
}

/**
 * The finding that carries most of the change of the whole: of those that end where a blame descent ends, or without a tree by their
 * self cost, so that callers do not take the credit of what they call.
 */
function leadOf(functions: readonly FunctionComparison[], change: number): Summary['lead'] {
  const findings = functions.filter(
    (one) =>
      ['regressed', 'improved', 'new', 'gone'].includes(one.verdict) ||
      (one.verdict === 'weak evidence' && one.lean !== null),
  );
  const direction = change === 0 ? 0 : Math.sign(change);
  let best: FunctionComparison | null = null;
  for (const one of findings) {
    const weight = direction === 0 ? Math.abs(ownPart(one)) : direction * ownPart(one);
    const most = best === null ? 0 : direction === 0 ? Math.abs(ownPart(best)) : direction * ownPart(best);
    if (weight > most) best = one;
  }
  if (best === null) return null;
  return { id: best.id, name: best.name, file: best.file, part: change === 0 ? null : ownPart(best) / change };
}
