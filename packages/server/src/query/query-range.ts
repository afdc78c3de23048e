import { buildTree, isUnfiltered, labelText, type ProfileFilters, topFunctions } from '@everflame/profile';
import type { http } from '@everflame/protocols';
import { Refused } from '../problem.ts';
import type { Merged, RangeSeries, StorageReader, TimeRange } from '../storage/storage.ts';
import type { Check } from './budget.ts';
import { answerHead } from './columns.ts';
import { filterMerged, labelsForFilters, readFilters } from './filters.ts';
import { countsFor, type FunctionPart, linesByFunction, linesOfFunction, minuteMs } from './function-lines.ts';
import { mergeChoice, rangeOf } from './merged.ts';
import { type Parameters, present, readSelector, readStepMs, readTimeRange } from './parameters.ts';
import { type Choice, chooseProfile } from './profile-choice.ts';

/** Steps that are merged one by one, for a function or for filters. */
const maxMergedSteps = 500;
/** Lines of functions in one answer, the rest apart. */
const maxTop = 100;

/** What `by` says for a line for each function. */
const byFunction = 'function';

/**
 * Values over time; one line for each value of the label `by`, the one with the most first. With `function` the value of that
 * function (`value` total or self), with filters that of the samples they leave. `by=function`: a line for each of the
 * `top` functions and one for the rest.
 */
export async function answerQueryRange(
  storage: StorageReader,
  parameters: Parameters,
  nowMs: number,
  check: Check,
): Promise<http.QueryRangeAnswer> {
  const range = readTimeRange(parameters, nowMs);
  const by = present(parameters, 'by');
  if (by === byFunction) return answerByFunction(storage, parameters, range, check);
  const stepMs = readStepMs(parameters, range);
  const names = by === undefined ? [] : [by];
  const filters = readFilters(parameters);
  const part = readPart(parameters);
  const choice = await chooseProfile(storage, readSelector(parameters), range);
  const lines = choice === null ? [] : await linesOf(storage, { choice, stepMs, names, filters, part, check });
  const sorted = lines
    .map((line) => ({ line, sum: line.values.reduce((sum, value) => sum + value, 0n) }))
    .sort((a, b) => (a.sum < b.sum ? 1 : a.sum > b.sum ? -1 : 0));
  return { ...answerHead(choice, range), stepMs, series: sorted.map(({ line }) => series(line)) };
}

function series(line: RangeSeries): http.QueryRangeAnswer['series'][number] {
  const { labels, times, values, samples } = line;
  return { labels: { ...labels }, times: [...times], values: values.map(String), samples: [...samples] };
}

/** From totals; of a function from kept counts where these say it; else each step is merged. */
async function linesOf(storage: StorageReader, question: PartQuestion): Promise<readonly RangeSeries[]> {
  const { choice, stepMs, names, filters, part, check } = question;
  if (part !== null && isUnfiltered(filters) && (await areOfSeries(storage, choice, names))) {
    const counts = await countsFor(storage, choice, stepMs, names, check);
    if (counts !== null) return linesOfFunction(counts, part.name, part.kind);
  }
  const lines = await rangeOf(storage, choice, stepMs, names, check);
  return part === null && isUnfiltered(filters) ? lines : partOf(storage, lines, question);
}

/** Whether every series has these labels, so that those of samples do not matter. */
async function areOfSeries(storage: StorageReader, { selection }: Choice, names: readonly string[]): Promise<boolean> {
  if (names.length === 0) return true;
  const facts = await storage.series(selection, selection.matchers);
  return facts.every(({ labels }) => names.every((name) => Object.hasOwn(labels, name) && labels[name] !== ''));
}

/** @throws Refused 400 `bad_step`, `bad_filter`, `bad_value`, 422 `no_counts` */
async function answerByFunction(
  storage: StorageReader,
  parameters: Parameters,
  range: TimeRange,
  check: Check,
): Promise<http.QueryRangeAnswer> {
  if (present(parameters, 'function') !== undefined)
    throw new Refused(400, 'bad_value', 'by=function already has a line for each function: leave out function', 'by');
  if (!isUnfiltered(readFilters(parameters)))
    throw new Refused(400, 'bad_filter', 'by=function takes no filters: leave them out, or ask for one function', 'by');
  const isSaid = present(parameters, 'step') !== undefined;
  const asked = readStepMs(parameters, range);
  if (isSaid && asked % minuteMs !== 0)
    throw new Refused(400, 'bad_step', 'functions over time have steps of whole minutes: give 1m, 5m, 1h', 'step');
  const stepMs = Math.ceil(asked / minuteMs) * minuteMs;
  const kind = readKind(parameters, 'self');
  const top = readTop(parameters);
  const choice = await chooseProfile(storage, readSelector(parameters), range);
  const head = { ...answerHead(choice, range), stepMs };
  if (choice === null) return { ...head, series: [] };
  const counts = await countsFor(storage, choice, stepMs, [], check);
  if (counts === null) {
    const detail =
      'samples of this profile type are not worth the same: ask for one function with function=NAME, or for a type that counts samples';
    throw new Refused(422, 'no_counts', detail, 'by');
  }
  return { ...head, series: linesByFunction(counts, kind, top).map(series) };
}

/** @throws Refused 400 `bad_value` */
function readTop(parameters: Parameters): number {
  const text = present(parameters, 'top') ?? '10';
  const top = /^[0-9]{1,3}$/.test(text) ? Number(text) : 0;
  if (top >= 1 && top <= maxTop) return top;
  throw new Refused(400, 'bad_value', `top is ${JSON.stringify(text)}: give a number from 1 to ${maxTop}`, 'top');
}

/** What of a function is asked for. */
interface Part {
  readonly name: string;
  readonly kind: FunctionPart;
}

function readPart(parameters: Parameters): Part | null {
  const kind = readKind(parameters, 'total');
  const name = present(parameters, 'function');
  return name === undefined ? null : { name, kind };
}

/** @throws Refused 400 `bad_value` */
function readKind(parameters: Parameters, otherwise: FunctionPart): FunctionPart {
  const value = present(parameters, 'value') ?? otherwise;
  if (value === 'total' || value === 'self') return value;
  throw new Refused(400, 'bad_value', `value is ${JSON.stringify(value)}: give total or self`, 'value');
}

interface PartQuestion {
  readonly choice: Choice;
  readonly stepMs: number;
  readonly names: readonly string[];
  readonly filters: ProfileFilters;
  readonly part: Part | null;
  readonly check: Check;
}

/** The same lines and steps with a part of their values: each step is merged by itself. A step without that part has 0. */
async function partOf(
  storage: StorageReader,
  lines: readonly RangeSeries[],
  { choice, stepMs, names, filters, part, check }: PartQuestion,
): Promise<readonly RangeSeries[]> {
  const { selection } = choice;
  const labels = await labelsForFilters(storage, filters, names, selection);
  const times = [...new Set(lines.flatMap((line) => line.times))].sort((a, b) => a - b);
  if (times.length > maxMergedSteps) {
    const detail = `a function or a filter over time takes at most ${maxMergedSteps} steps and there is data in ${times.length}: give a longer step`;
    throw new Refused(400, 'bad_step', detail, 'step');
  }
  const found = lines.map(() => ({ values: [] as bigint[], samples: [] as number[] }));
  for (const time of times) {
    const step = {
      fromMs: Math.max(selection.fromMs, time),
      untilMs: Math.min(selection.untilMs, time + stepMs),
    };
    const whole = await mergeChoice(storage, { ...choice, selection: { ...selection, ...step } }, labels, check);
    const merged = filterMerged(whole, filters, check);
    for (const [i, line] of lines.entries()) {
      if (!line.times.includes(time)) continue;
      const amount = amountOf(merged, names[0], line, part);
      found[i]?.values.push(amount.value);
      found[i]?.samples.push(amount.samples);
    }
  }
  return lines.map(({ labels: own, times: at }, i) => ({
    labels: own,
    times: at,
    values: [],
    samples: [],
    ...found[i],
  }));
}

function amountOf(
  { profile, typeIndex }: Merged,
  by: string | undefined,
  line: RangeSeries,
  part: Part | null,
): { readonly value: bigint; readonly samples: number } {
  const wanted = by === undefined ? undefined : line.labels[by];
  const filter = (set: number) => by === undefined || labelText(profile, set, by) === wanted;
  if (part === null) {
    const tree = buildTree(profile, typeIndex, { filter });
    return { value: tree.total[0] ?? 0n, samples: tree.samples[0] ?? 0 };
  }
  const functions = topFunctions(profile, typeIndex, { filter });
  const row = functions.frames.name.indexOf(part.name);
  const value = (part.kind === 'self' ? functions.self[row] : functions.total[row]) ?? 0n;
  return { value, samples: (part.kind === 'self' ? functions.selfSamples[row] : functions.samples[row]) ?? 0 };
}
