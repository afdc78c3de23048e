import {
  answerOf,
  callTreeOfProfiles,
  compare,
  CompareFailure,
  type Comparison,
  type CompareInput,
  countLines,
  FunctionTable,
  isChange,
  type LineSide,
  type PastComparison,
  pastEffects,
  relocationsOf,
  withLines,
} from '@everflame/compare';
import { formatSelector } from '@everflame/profile';
import type { http } from '@everflame/protocols';
import { Refused } from '../problem.ts';
import type { StorageReader, TimeRange } from '../storage/storage.ts';
import type { Check } from './budget.ts';
import { type CountedSide, countSide, labelsOfUnits, type Units, unitOf, unitsOf } from './compare-counts.ts';
import { type CompareQuestion, type CompareSide, readCompareQuestion, type SideName } from './compare-parameters.ts';
import { pastWindows } from './compare-past.ts';
import { mergeChoice } from './merged.ts';
import type { Parameters } from './parameters.ts';
import { type Choice, chooseProfile } from './profile-choice.ts';

/**
 * What changed between two versions, or two selectors and ranges, and is it real: see `docs/statistics.md`.
 *
 * @throws Refused 404 `unknown_version`, 422 `no_samples`, and what selectors, times and budgets throw
 */
export async function answerCompare(
  storage: StorageReader,
  parameters: Parameters,
  nowMs: number,
  check: Check,
): Promise<http.CompareAnswer> {
  const question = await readCompareQuestion(storage, parameters, nowMs);
  const before = await choose(storage, question.before);
  const after = await choose(storage, question.after);
  if (before.profileType.id !== after.profileType.id) {
    const detail = `the sides have different profile types (${before.profileType.id}, ${after.profileType.id}): put the same before both selectors`;
    throw new Refused(400, 'different_profile_types', detail, 'query');
  }
  const units = await unitsOf(storage, before, after, check);
  const table = new FunctionTable();
  const counted = {
    before: await countSide(storage, before, units, table, check),
    after: await countSide(storage, after, units, table, check),
  };
  for (const name of ['before', 'after'] as const) if (counted[name].samples === 0) throw noSamples(question[name]);
  const past = await countPast(storage, question, before, units, table, check);
  const controls = await countControls(storage, question, before, units, counted, table, check);
  const comparison = await explained(
    storage,
    { question, before, after, units, counted, past, controls, table },
    check,
  );
  const side = (name: SideName, { profileType, selection }: Choice) => ({
    query: formatSelector({ profileType: profileType.id, matchers: selection.matchers }),
    from: selection.fromMs,
    until: selection.untilMs,
    profiles: counted[name].profiles,
    total: counted[name].value,
  });
  return answerOf(comparison, {
    service: question.service,
    profileType: before.profileType.id,
    unit: before.profileType.sampleUnit,
    before: side('before', before),
    after: side('after', after),
    past: controls === null ? past.pairs.length : 0,
    controls: controls?.units.size ?? 0,
    minEffect: question.minEffect,
    q: question.q,
  });
}

async function choose(storage: StorageReader, side: CompareSide): Promise<Choice> {
  const choice = await chooseProfile(storage, side.selector, side.range);
  if (choice === null) throw noSamples(side);
  return choice;
}

function noSamples({ name, selector, range }: CompareSide): Refused {
  const [from, until] = [range.fromMs, range.untilMs].map((ms) => new Date(ms).toISOString());
  const detail = `there are no samples of ${name}, ${formatSelector(selector)}, from ${from} until ${until}: give another range`;
  return new Refused(422, 'no_samples', detail);
}

interface CountedPast {
  readonly pairs: readonly { readonly before: CountedSide; readonly after: CountedSide }[];
  readonly isAligned: boolean;
}

/** Earlier windows of the before side; those that lack samples on a side are left out. */
async function countPast(
  storage: StorageReader,
  { before, after, past }: CompareQuestion,
  choice: Choice,
  units: Units,
  table: FunctionTable,
  check: Check,
): Promise<CountedPast> {
  const windows = pastWindows(before.range, after.range, before.sinceMs, past);
  const known = new Map<string, CountedSide>();
  const count = async (range: TimeRange): Promise<CountedSide> => {
    const key = `${range.fromMs} ${range.untilMs}`;
    const found =
      known.get(key) ??
      (await countSide(storage, { ...choice, selection: { ...choice.selection, ...range } }, units, table, check));
    known.set(key, found);
    return found;
  };
  const pairs: { before: CountedSide; after: CountedSide }[] = [];
  for (const window of windows.pairs) {
    const pair = { before: await count(window.before), after: await count(window.after) };
    if (pair.before.samples > 0 && pair.after.samples > 0) pairs.push(pair);
  }
  return { pairs, isAligned: windows.isAligned };
}

/** Who stayed on the before side while others changed. */
interface CountedControls {
  readonly after: CountedSide;
  readonly units: ReadonlySet<string>;
}

/** Fewer would add more noise than they take away. */
const leastControls = 5;

/**
 * Hosts or pods that have the before side in both windows and the after side in none: what changed for them has other causes. None where the
 * windows overlap, since then both sides lived through the same time already.
 */
async function countControls(
  storage: StorageReader,
  { before, after }: CompareQuestion,
  choice: Choice,
  units: Units,
  counted: Counted['counted'],
  table: FunctionTable,
  check: Check,
): Promise<CountedControls | null> {
  const isTold = units.kind === 'host' || units.kind === 'pod';
  if (!isTold || before.version === null || before.range.untilMs > after.range.fromMs) return null;
  const selection = { ...choice.selection, ...after.range };
  const stayed = await countSide(storage, { ...choice, selection }, units, table, check);
  const own = [...stayed.units].filter((unit) => counted.before.units.has(unit) && !counted.after.units.has(unit));
  return own.length < leastControls ? null : { after: stayed, units: new Set(own) };
}

interface Counted {
  readonly question: CompareQuestion;
  readonly before: Choice;
  readonly after: Choice;
  readonly units: Units;
  readonly counted: { readonly before: CountedSide; readonly after: CountedSide };
  readonly past: CountedPast;
  readonly controls: CountedControls | null;
  readonly table: FunctionTable;
}

/** The comparison; when something changed, again with the call tree of both sides, which says where it is. */
async function explained(storage: StorageReader, all: Counted, check: Check): Promise<Comparison> {
  const { question, units, counted, past, controls, table } = all;
  const places = placesOf(all);
  const { normalisation, minEffect, q, look } = question;
  const input: CompareInput = {
    before: counted.before.finish(question.before.name, places),
    after: counted.after.finish(question.after.name, places),
    functions: { name: table.name.slice(), file: table.file.slice() },
    kind: units.kind,
    hosts: units.hosts,
    past: past.pairs.map((pair): PastComparison => {
      check();
      const sides = { before: pair.before.finish('', places), after: pair.after.finish('', places) };
      return pastEffects(sides, units.kind, normalisation);
    }),
    pastAligned: past.isAligned,
    ...(controls === null
      ? {}
      : {
          controls: {
            before: counted.before.finish(question.before.name, places, controls.units),
            after: controls.after.finish(question.before.name, places, controls.units),
          },
        }),
    options: { normalisation, minEffect, q, ...(look === null ? {} : { look }) },
  };
  const plain = compared(input);
  if (!plain.functions.some(isChange)) return plain;
  const sides = [
    await mergeChoice(storage, all.before, [], check),
    await mergeChoice(storage, all.after, [], check),
  ] as const;
  // What came in since the counts were read has no ids.
  table.freeze();
  const tree = callTreeOfProfiles(sides[0], sides[1], table, places, check);
  check();
  return addLines(storage, all, places, input, compared({ ...input, tree }), check);
}

/** Functions whose lines are looked at: the first of those that changed. */
const maxLineFunctions = 50;
/** Lines need the samples of each unit merged apart, which takes about a second for so many. */
const maxLineSamples = 3_000_000;

/** The same with the source lines of what changed, where lines are known and units are told by labels. */
async function addLines(
  storage: StorageReader,
  { before, after, units, counted, table }: Counted,
  places: Uint32Array,
  input: CompareInput,
  comparison: Comparison,
  check: Check,
): Promise<Comparison> {
  const labels = labelsOfUnits(units);
  const changed = comparison.functions.filter(isChange).slice(0, maxLineFunctions);
  const samples = counted.before.samples + counted.after.samples;
  if (labels === null || samples > maxLineSamples) {
    const reason =
      labels === null
        ? 'source lines are not looked at when blocks of time are the units'
        : `source lines are not looked at beyond ${maxLineSamples.toLocaleString('en')} samples: ask for a shorter range`;
    return { ...comparison, notTested: [...comparison.notTested, { reason, functions: changed.length, samples }] };
  }
  const side = async (choice: Choice): Promise<LineSide[]> => {
    const { profile, typeIndex } = await mergeChoice(storage, choice, labels, check);
    return [{ profile, typeIndex, unitOf: (set) => unitOf(units, profile, set) }];
  };
  const wanted = new Set(changed.map(({ id }) => id));
  const cells = countLines(await side(before), await side(after), table, places, wanted);
  check();
  return cells === null ? comparison : withLines(comparison, input, cells);
}

/** Functions that are the same in another directory; the past and who stayed are of the before side. */
function placesOf({ counted, past, controls, table }: Counted): Uint32Array {
  const before = new Uint8Array(table.length);
  const after = new Uint8Array(table.length);
  counted.before.mark(before);
  controls?.after.mark(before);
  for (const pair of past.pairs) for (const side of [pair.before, pair.after]) side.mark(before);
  counted.after.mark(after);
  return relocationsOf(table, before, after);
}

/** What counts from the store can lack is the asker's to know; a broken invariant is a bug. */
function compared(input: CompareInput): Comparison {
  try {
    return compare(input);
  } catch (error) {
    if (!(error instanceof CompareFailure)) throw error;
    if (error.code === 'too_large')
      throw new Refused(422, 'query_too_large', `${error.message}: ask for a shorter range or fewer series`);
    if (error.code === 'no_exposure')
      throw new Refused(422, 'no_exposure', `${error.message}: compare shares instead`, 'normalisation');
    throw error;
  }
}
