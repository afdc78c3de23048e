import {
  answerOf,
  callTreeOfProfiles,
  CompareFailure,
  type Comparison,
  type CompareInput,
  concluded,
  countLines,
  FunctionTable,
  type FunctionWeights,
  isChange,
  type LineSide,
  type PastComparison,
  pastEffects,
  prepare,
  type Places,
  placesOf,
  type SideCounts,
  withLines,
} from '@everflame/compare';
import { formatSelector } from '@everflame/profile';
import type { http } from '@everflame/protocols';
import { Refused } from '../problem.ts';
import type { Merged, StorageReader } from '../storage/storage.ts';
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
  const controls = await countControls(storage, question, before, units, counted, table, check);
  const places = placesOfCounted(counted, controls, table);
  // What only the past has, or came in since the counts were read, has no ids.
  table.freeze();
  const past = await countPast(storage, question, before, units, table, places.before, check);
  const comparison = await explained(
    storage,
    { question, before, after, units, counted, past, controls, table, places },
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
    past: controls === null ? past.effects.length : 0,
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
  readonly effects: readonly PastComparison[];
  readonly isAligned: boolean;
}

/** Earlier windows of the before side, two of them in memory at a time; pairs that lack samples on a side are left out. */
async function countPast(
  storage: StorageReader,
  { before, after, past, normalisation }: CompareQuestion,
  choice: Choice,
  units: Units,
  table: FunctionTable,
  places: Uint32Array,
  check: Check,
): Promise<CountedPast> {
  // Of the past nobody counted requests.
  const most = normalisation === 'request' ? 0 : past;
  const windows = pastWindows(before.range, after.range, before.sinceMs, most);
  /** Windows that follow each other share one. */
  let known = new Map<string, SideCounts | null>();
  const effects: PastComparison[] = [];
  for (const pair of windows.pairs) {
    const counted = new Map<string, SideCounts | null>();
    for (const range of [pair.before, pair.after]) {
      const key = `${range.fromMs} ${range.untilMs}`;
      const selection = { ...choice.selection, ...range };
      const count = async (): Promise<SideCounts | null> => {
        const side = await countSide(storage, { ...choice, selection }, units, table, check);
        const counts = side.samples > 0 ? side.finish('', places) : null;
        side.discard();
        return counts;
      };
      counted.set(key, known.get(key) ?? (await count()));
    }
    known = counted;
    const [first, last = first] = counted.values();
    if (first === undefined || first === null || last === undefined || last === null) continue;
    effects.push(pastEffects({ before: first, after: last }, units.kind, normalisation));
  }
  return { effects, isAligned: windows.isAligned };
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
  { before, after, normalisation }: CompareQuestion,
  choice: Choice,
  units: Units,
  counted: Counted['counted'],
  table: FunctionTable,
  check: Check,
): Promise<CountedControls | null> {
  // Nobody counted what they served.
  if (normalisation === 'request') return null;
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
  readonly places: Places;
}

/** The comparison; when something changed, with the call tree of both sides, which says where it is. */
async function explained(storage: StorageReader, all: Counted, check: Check): Promise<Comparison> {
  const { question, units, counted, past, controls, table, places } = all;
  const { normalisation, requests, minEffect, q, look } = question;
  // One after the other: each gives its counts back before the next is built.
  const before = counted.before.finish(question.before.name, places.before, { requests: requests.before });
  const stayedBefore = controls && counted.before.finish(question.before.name, places.before, { only: controls.units });
  counted.before.discard();
  const after = counted.after.finish(question.after.name, places.after, { requests: requests.after });
  counted.after.discard();
  const stayedAfter = controls && controls.after.finish(question.before.name, places.before, { only: controls.units });
  controls?.after.discard();
  const input: CompareInput = {
    before,
    after,
    functions: table,
    kind: units.kind,
    hosts: units.hosts,
    past: past.effects,
    pastAligned: past.isAligned,
    formerNames: places.formerNames,
    ...(stayedBefore && stayedAfter ? { controls: { before: stayedBefore, after: stayedAfter } } : {}),
    options: { normalisation, minEffect, q, ...(look === null ? {} : { look }) },
  };
  check();
  const prepared = ofCounts(() => prepare(input));
  const plain = concluded(prepared, null);
  if (!plain.functions.some(isChange)) return plain;
  check();
  const part = partToExplain(units, counted);
  const labels = labelsOfUnits(units);
  const merge = (choice: Choice): Promise<Merged> =>
    mergeChoice(storage, part === null ? choice : ofUnits(choice, part), labels ?? [], check);
  const sides = [await merge(all.before), await merge(all.after)] as const;
  const tree = callTreeOfProfiles(sides[0], sides[1], table, places, check);
  scaleTo(tree.before, counted.before.samples);
  scaleTo(tree.after, counted.after.samples);
  check();
  const comparison = concluded(prepared, tree);
  if (part === null) return addLines(all, sides, input, comparison, check);
  const changed = comparison.functions.filter(isChange).length;
  const samples = counted.before.samples + counted.after.samples;
  const reason = `source lines are not looked at beyond ${maxExplainedSamples.toLocaleString('en')} samples: ask for a shorter range`;
  return {
    ...comparison,
    assumptions: [
      ...comparison.assumptions,
      `${part.length} ${units.kind}s stand for all where it is said which stack carries a change`,
    ],
    notTested: [...comparison.notTested, { reason, functions: changed, samples }],
  };
}

/** Functions whose lines are looked at: the first of those that changed. */
const maxLineFunctions = 50;
/** Stacks and lines need the samples themselves, which takes about half a second for so many. */
const maxExplainedSamples = 3_000_000;

/** Names of hosts that have about so many samples when all have more, evenly drawn of those on both sides; null: all of them are looked at. */
function partToExplain({ kind }: Units, { before, after }: Counted['counted']): readonly string[] | null {
  const samples = before.samples + after.samples;
  if (kind !== 'host' || samples <= maxExplainedSamples) return null;
  const both = [...before.units].filter((unit) => after.units.has(unit));
  // Where they were replaced, each side has its own.
  const names = (both.length >= fewestHosts ? both : [...before.units, ...after.units]).toSorted();
  const wanted = Math.max(fewestHosts, Math.ceil((names.length * maxExplainedSamples) / samples));
  const part = Math.min(wanted, names.length, mostHosts);
  return Array.from({ length: part }, (_, i) => names[Math.floor((i * names.length) / part)] ?? '');
}

const fewestHosts = 10;
/** Each is a word of a matcher. */
const mostHosts = 100;

function ofUnits(choice: Choice, hosts: readonly string[]): Choice {
  const value = hosts.map((host) => host.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')).join('|');
  const matchers = [...choice.selection.matchers, { name: 'host_name', operator: '=~', value } as const];
  return { ...choice, selection: { ...choice.selection, matchers } };
}

/** Counts of a tree as if it were of so many samples. */
function scaleTo(counts: Float64Array, samples: number): void {
  const root = counts[0] ?? 0;
  if (root === 0 || root === samples) return;
  for (let node = 0; node < counts.length; node++) counts[node] = ((counts[node] ?? 0) * samples) / root;
}

/** The same with the source lines of what changed, where lines are known and units are told by labels. */
function addLines(
  { units, counted, table, places }: Counted,
  [before, after]: readonly [Merged, Merged],
  input: CompareInput,
  comparison: Comparison,
  check: Check,
): Comparison {
  const changed = comparison.functions.filter(isChange).slice(0, maxLineFunctions);
  if (labelsOfUnits(units) === null) {
    const samples = counted.before.samples + counted.after.samples;
    const reason = 'source lines are not looked at when blocks of time are the units';
    return { ...comparison, notTested: [...comparison.notTested, { reason, functions: changed.length, samples }] };
  }
  const side = ({ profile, typeIndex }: Merged): LineSide[] => [
    { profile, typeIndex, unitOf: (set) => unitOf(units, profile, set) },
  ];
  const wanted = new Set(changed.map(({ id }) => id));
  const cells = countLines(side(before), side(after), table, places, wanted);
  check();
  return cells === null ? comparison : withLines(comparison, input, cells);
}

/** Which functions are the same; who stayed is of the before side. */
function placesOfCounted(counted: Counted['counted'], controls: CountedControls | null, table: FunctionTable): Places {
  const weightsOf = (...sides: readonly CountedSide[]): FunctionWeights => {
    const inclusive = new Float64Array(table.length);
    for (const side of sides) side.addTo(inclusive);
    return { inclusive, samples: sides.reduce((sum, { samples }) => sum + samples, 0) };
  };
  return placesOf(table, weightsOf(counted.before, ...(controls ? [controls.after] : [])), weightsOf(counted.after));
}

/** What counts from the store can lack is the asker's to know; a broken invariant is a bug. */
function ofCounts<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof CompareFailure)) throw error;
    if (error.code === 'too_large')
      throw new Refused(422, 'query_too_large', `${error.message}: ask for a shorter range or fewer series`);
    if (error.code === 'no_exposure')
      throw new Refused(422, 'no_exposure', `${error.message}: compare shares instead`, 'normalisation');
    throw error;
  }
}
