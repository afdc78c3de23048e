import { CompareFailure } from './compare-failure.ts';
import type { CompareInput, Comparison, FunctionComparison } from './comparison.ts';
import type { Verdict } from './verdict.ts';
import { checkCounts } from './counts/check-counts.ts';
import { samplesOf, type SideCounts, sumOf } from './counts/side-counts.ts';
import { type Analyses, type Analysis, analyse } from './effects/analyse.ts';
import { MIN_FUNCTIONS } from './effects/composition.ts';
import { isExposureKnown } from './effects/contrast.ts';
import { type CallTree, ChangeTree } from './explain/call-tree.ts';
import { CostShifts, type Parts } from './explain/cost-shift.ts';
import { persists } from './explain/persistence.ts';
import { assumptionsOf, notTestedOf } from './limits-of.ts';
import { ownPart, summarise } from './summarise.ts';
import { lookShare } from './tests/looks.ts';
import { blindness, detectableEffect, TQuantiles } from './tests/relevant-effect.ts';
import { isSameWay, type Tested, testFunctions, weightOf } from './tests/test-functions.ts';

/** Fewer units cannot show how much units differ: effect and interval are given, no verdict. */
export const MIN_UNITS = 5;

/** What is known of a comparison before it is known where the changes are: `concluded` says the rest. */
export interface Prepared {
  readonly input: CompareInput;
  readonly context: Omit<Context, 'tree' | 'shifts'>;
}

/**
 * What changed between two sides, and is it real. Pure: the same counts give the same answer. Throws `CompareFailure` when the counts break
 * an invariant or lack what the normalisation needs. Cost: O(functions × units).
 *
 * The method is the reference's §4.3, step by step in the files of `effects/`, `tests/` and `explain/`, each naming its source; `docs/statistics.md`
 * tells it in the order of a reader's questions, with its calibration.
 */
export function compare(input: CompareInput): Comparison {
  return concluded(prepare(input), input.tree ?? null);
}

/** All but what the call tree is asked about: nearly all of the work. Throws as `compare` does. */
export function prepare(input: CompareInput): Prepared {
  const options = checkedOptions(input);
  const analyses = analyse(
    input,
    input.controls ?? null,
    input.past ?? [],
    input.pastAligned ?? false,
    input.kind,
    options.normalisation,
  );
  const share = options.look === null ? 1 : lookShare(options.look);
  const least = Math.log1p(options.minEffect);
  const byCores = coresBeside(input, analyses, options.normalisation);
  const tested = testFunctions(analyses.inclusive, byCores, input.functions.name, least, options.q * share);
  const parts = { inclusive: partsOf(analyses, 'inclusive'), self: partsOf(analyses, 'self') };
  const weakEvidence = weaknessOf(input, analyses);
  const extended = input.extended === undefined ? null : extendedThetas(input, input.extended, options.normalisation);
  const quantiles = new TQuantiles();
  const alpha = 0.05 * share;
  return {
    input,
    context: { input, options, analyses, byCores, tested, parts, weakEvidence, extended, quantiles, least, alpha },
  };
}

/**
 * With few functions nobody knows what most of them did, and a share that fell may be dilution by one that grew: then a change must show in cores per instance, too, where
 * seconds are known. null: shares speak for themselves.
 */
function coresBeside(
  input: CompareInput,
  { composition }: Analyses,
  normalisation: Options['normalisation'],
): Analysis | null {
  if (normalisation !== 'share' || composition.functions >= MIN_FUNCTIONS) return null;
  const sides = [input.before, input.after, input.controls?.before, input.controls?.after];
  if (!isExposureKnown(sides, 'cores')) return null;
  return analyse(input, input.controls ?? null, [], false, input.kind, 'cores').inclusive;
}

/** The comparison; `tree`: the merged call tree of both sides, to say which stack carries a change. */
export function concluded({ input, context: prepared }: Prepared, callTree: CallTree | null): Comparison {
  const { analyses, parts, tested, weakEvidence, quantiles, alpha } = prepared;
  const common = commonOf(analyses);
  const tree =
    callTree === null
      ? null
      : new ChangeTree(callTree, {
          before: 1 / wholeBefore(analyses),
          after: (Math.exp(-(common?.theta ?? 0)) * exposureRatio(analyses)) / wholeBefore(analyses),
        });
  const shifts = new CostShifts(analyses.inclusive, input.functions, common, parts, tree, quantiles);
  const context: Context = { ...prepared, tree, shifts };
  const functions: FunctionComparison[] = [];
  for (let id = 0; id < input.functions.name.length; id++) {
    const one = describe(context, id);
    if (one !== null) functions.push(one);
  }
  functions.sort(
    (a, b) =>
      RANK[a.verdict] - RANK[b.verdict] ||
      Math.abs(ownPart(b)) - Math.abs(ownPart(a)) ||
      Math.abs(b.part) - Math.abs(a.part) ||
      a.id - b.id,
  );
  const summary = summarise(input, analyses, functions, weakEvidence, alpha);
  return {
    summary,
    functions,
    mde: summary.change?.mde ?? null,
    assumptions: assumptionsOf(input, analyses, prepared.byCores !== null),
    notTested: notTestedOf(analyses.inclusive, input.functions.name, tested.p),
  };
}

interface Options {
  readonly normalisation: 'share' | 'cores' | 'request';
  readonly minEffect: number;
  readonly minPart: number;
  readonly q: number;
  readonly look: number | null;
}

interface Context {
  readonly input: CompareInput;
  readonly options: Options;
  readonly analyses: Analyses;
  /** What a change must show in as well, see `coresBeside`. */
  readonly byCores: Analysis | null;
  readonly tested: Tested;
  readonly parts: Parts;
  readonly tree: ChangeTree | null;
  readonly shifts: CostShifts;
  readonly weakEvidence: string | null;
  readonly extended: Float64Array | null;
  readonly quantiles: TQuantiles;
  readonly least: number;
  readonly alpha: number;
}

const RANK: Readonly<Record<Verdict, number>> = {
  regressed: 0,
  new: 1,
  improved: 2,
  gone: 3,
  moved: 4,
  'weak evidence': 5,
  unchanged: 6,
  'not enough data': 7,
};

const FINDINGS: ReadonlySet<Verdict> = new Set(['regressed', 'improved', 'new', 'gone', 'moved']);

function checkedOptions(input: CompareInput): Options {
  const { normalisation = 'share', minEffect = 0.02, minPart = 0.000_05, q = 0.05, look = null } = input.options ?? {};
  if (!(minEffect >= 0 && minEffect < 10 && minPart >= 0 && minPart < 1 && q > 0 && q < 1))
    throw new CompareFailure('bad_option', `minEffect ${minEffect}, minPart ${minPart}, q ${q}`);
  const functions = input.functions.name.length;
  if (input.functions.file.length !== functions)
    throw new CompareFailure('bad_shape', 'names and files differ in number');
  for (const side of [input.before, input.after, input.controls?.before, input.controls?.after, input.extended])
    if (side !== undefined) checkCounts(side, functions);
  for (const side of [input.before, input.after])
    if (!(sumOf(side.unitSamples) > 0)) throw new CompareFailure('no_exposure', `${side.version} has no samples`);
  for (const past of input.past ?? [])
    if (past.inclusive.theta.length !== functions || past.self.theta.length !== functions)
      throw new CompareFailure('bad_shape', 'a past comparison has other functions');
  return { normalisation, minEffect, minPart, q, look };
}

function commonOf(analyses: Analyses): Analyses['composition'] | null {
  return analyses.composition.matters && analyses.inclusive.contrast.normalisation === 'share'
    ? analyses.composition
    : null;
}

function wholeBefore(analyses: Analyses): number {
  return sumOf(analyses.inclusive.contrast.cells[0].counts.unitSamples);
}

/** Turns samples of the after side into samples of a before side of the same exposure. */
function exposureRatio(analyses: Analyses): number {
  const [before, after] = analyses.inclusive.contrast.cells;
  return before.exposureSum / after.exposureSum;
}

/** Change of each function as a part of the whole service before: rate after (dilution taken off) − rate before, over the whole's rate. */
function partsOf(analyses: Analyses, list: 'inclusive' | 'self'): Float64Array {
  const { table } = analyses[list];
  const whole = wholeBefore(analyses);
  const scale = exposureRatio(analyses) * Math.exp(-(commonOf(analyses)?.theta ?? 0));
  return table.before.map((before, f) => ((table.after[f] ?? 0) * scale - before) / whole);
}

function weaknessOf(input: CompareInput, analyses: Analyses): string | null {
  const units = Math.min(input.before.unitNames.length, input.after.unitNames.length);
  const plural = (count: number, word: string): string =>
    `${count} ${word}${count === 1 ? '' : word.endsWith('s') ? 'es' : 's'}`;
  if (input.kind === 'block') return plural(input.hosts ?? 1, 'host');
  if (units < MIN_UNITS) return plural(units, input.kind);
  // One unit with nearly all of the load is one unit, however many others idle beside it.
  return analyses.inclusive.contrast.df >= 2 ? null : `one ${input.kind} has most of the load`;
}

function extendedThetas(
  input: CompareInput,
  extended: SideCounts,
  normalisation: Options['normalisation'],
): Float64Array {
  const pair = { before: input.before, after: extended };
  return analyse(pair, null, input.past ?? [], input.pastAligned ?? false, input.kind, normalisation).inclusive.theta;
}

function describe(context: Context, id: number): FunctionComparison | null {
  const { input, analyses, byCores, tested, parts, alpha, quantiles, least } = context;
  const { table, theta, variance, df, contrast } = analyses.inclusive;
  const samplesBefore = table.before[id] ?? 0;
  const samplesAfter = table.after[id] ?? 0;
  if (samplesBefore + samplesAfter === 0) return null;
  const effect = theta[id] ?? Number.NaN;
  const spread = variance[id] ?? Number.NaN;
  const known = Number.isFinite(effect) && Number.isFinite(spread) && (df[id] ?? 0) > 0;
  const reach = known ? quantiles.upper(alpha / 2, df[id] ?? 0) * Math.sqrt(spread) : Number.NaN;
  const threshold = tested.threshold * weightOf(tested.weight, id);
  // What must show in both is seen as badly as in the worse of them.
  const worst = Math.max(spread, byCores?.variance[id] ?? 0);
  const mde = known ? Math.expm1(detectableEffect(worst, df[id] ?? 0, least, threshold, quantiles)) : null;
  const rawChange =
    samplesBefore > 0 && samplesAfter > 0
      ? contrast.rate('after', samplesAfter) / contrast.rate('before', samplesBefore) - 1
      : null;
  const decided = decide(context, id, known, reach, mde);
  const carrier = isChange(decided) ? carrierOf(context, id) : null;
  const cores = (side: SideCounts, samples: number): number =>
    (samples * side.secondsPerSample) / sumOf(side.unitSeconds);
  const hasSeconds = sumOf(input.before.unitSeconds) > 0 && sumOf(input.after.unitSeconds) > 0;
  const p = tested.p[id] ?? Number.NaN;
  return {
    id,
    name: input.functions.name[id] ?? '',
    file: input.functions.file[id] ?? '',
    nameBefore: input.formerNames?.get(id) ?? null,
    before: contrast.rate('before', samplesBefore),
    after: contrast.rate('after', samplesAfter),
    cores: hasSeconds ? { before: cores(input.before, samplesBefore), after: cores(input.after, samplesAfter) } : null,
    change: Number.isFinite(effect) ? Math.expm1(effect) : null,
    interval: known ? [Math.expm1(effect - reach), Math.expm1(effect + reach)] : null,
    rawChange,
    part: parts.inclusive[id] ?? 0,
    selfPart: parts.self[id] ?? 0,
    p: Number.isNaN(p) ? null : p,
    q: Number.isNaN(p) ? null : (tested.q[id] ?? null),
    ...decided,
    mde,
    samplesBefore,
    samplesAfter,
    selfBefore: samplesOf(input.before, 'self', id),
    selfAfter: samplesOf(input.after, 'self', id),
    units: { before: unitsWith(input.before, id), after: unitsWith(input.after, id) },
    dilutedBy: known ? dilutionOf(context, effect, reach) : null,
    carrier,
    lines: null,
  };
}

/** Is it a finding, or all that weak evidence can say: only then there is something to be carried. */
export function isChange({ verdict, lean }: Pick<FunctionComparison, 'verdict' | 'lean'>): boolean {
  return FINDINGS.has(verdict) || (verdict === 'weak evidence' && lean !== null);
}

type Decision = Pick<FunctionComparison, 'verdict' | 'verdictText' | 'lean' | 'movedWithin' | 'persistence'>;

function decide(context: Context, id: number, known: boolean, reach: number, mde: number | null): Decision {
  const { options, analyses, byCores, tested, parts, shifts, weakEvidence, extended, least } = context;
  const { table, theta } = analyses.inclusive;
  const effect = theta[id] ?? Number.NaN;
  const oneSided = (table.before[id] ?? 0) === 0 || (table.after[id] ?? 0) === 0;
  const direction = Math.sign(parts.inclusive[id] ?? 0);
  const towards = direction > 0 ? 'regressed' : 'improved';
  const isBeyond = known && Math.abs(effect) - reach > least;
  const lean =
    (isBeyond && (byCores === null || isSameWay(id, analyses.inclusive, byCores))) ||
    (oneSided && (tested.p[id] ?? 1) <= context.alpha)
      ? towards
      : null;
  const plain = { movedWithin: null, persistence: 'not checked' } as const;
  if (weakEvidence !== null)
    return { ...plain, verdict: 'weak evidence', verdictText: `weak evidence: ${weakEvidence}`, lean };
  const limit = options.q * (options.look === null ? 1 : lookShare(options.look));
  // A part of the budget that is larger than an even one must not make a finding of what its interval calls nothing.
  const isNoise = (tested.rare[id] ?? null) === null && !(Math.abs(effect) > reach);
  const isFinding = (tested.q[id] ?? 1) <= limit && !isNoise && Math.abs(parts.inclusive[id] ?? 0) >= options.minPart;
  if (!isFinding) {
    if (byCores !== null && isBeyond)
      return {
        ...plain,
        verdict: 'not enough data',
        verdictText: 'not enough data: its share changed, its cores per instance are not shown to',
        lean,
      };
    if (mde === null || mde > blindness(options.minEffect))
      return { ...plain, verdict: 'not enough data', verdictText: 'not enough data', lean };
    return { ...plain, verdict: 'unchanged', verdictText: `unchanged within ±${percent(mde)}`, lean };
  }
  const movedWithin = shifts.movedWithin(id);
  if (movedWithin !== null)
    return { ...plain, verdict: 'moved', verdictText: `moved within ${movedWithin}`, lean: null, movedWithin };
  if (
    extended !== null &&
    !persists(Number.isFinite(effect) ? effect : direction, extendedEffect(extended[id] ?? 0, direction))
  )
    return { movedWithin, verdict: 'unchanged', verdictText: 'went away', lean: towards, persistence: 'went away' };
  const verdict = oneSided ? (direction > 0 ? 'new' : 'gone') : towards;
  return {
    movedWithin,
    verdict,
    verdictText: verdict,
    lean: null,
    persistence: extended === null ? 'not checked' : 'lasts',
  };
}

/** New and gone functions have infinite effects: they last while they stay so. */
function extendedEffect(theta: number, direction: number): number {
  return Number.isNaN(theta) ? 0 : Number.isFinite(theta) ? theta : Math.sign(theta) * Math.abs(direction);
}

/** Whose growth (or shrinking) changed this function's share though its cost is the same; null when nothing of the sort shows. */
function dilutionOf(context: Context, effect: number, reach: number): string | null {
  const common = commonOf(context.analyses);
  if (common === null || Math.abs(effect) - reach > context.least) return null;
  if (Math.abs(effect + common.theta) - reach <= 0) return null;
  const { self } = context.parts;
  let cause = -1;
  for (let f = 0; f < self.length; f++)
    if (cause < 0 || -Math.sign(common.theta) * (self[f] ?? 0) > -Math.sign(common.theta) * (self[cause] ?? 0))
      cause = f;
  return context.input.functions.name[cause] ?? null;
}

function carrierOf(context: Context, id: number): FunctionComparison['carrier'] {
  const { tree, parts, input } = context;
  const node = tree?.carrierOf(id, Math.sign(parts.inclusive[id] ?? 0)) ?? null;
  if (tree === null || node === null) return null;
  const path = tree.pathOf(node);
  const carrier = path.at(-1) ?? id;
  return {
    id: carrier,
    name: input.functions.name[carrier] ?? '',
    file: input.functions.file[carrier] ?? '',
    stack: path.map((f) => input.functions.name[f] ?? ''),
  };
}

function unitsWith(side: SideCounts, id: number): number {
  return (side.functionStart[id + 1] ?? 0) - (side.functionStart[id] ?? 0);
}

/** A part as a percentage with two significant digits. */
export function percent(part: number): string {
  return `${Number((part * 100).toPrecision(2))} %`;
}
