import { buildTree, isUnfiltered, labelText, type ProfileFilters, topFunctions } from '@everflame/profile';
import type { http } from '@everflame/protocols';
import { Refused } from '../problem.ts';
import type { Merged, RangeSeries, StorageReader } from '../storage/storage.ts';
import type { Check } from './budget.ts';
import { answerHead } from './columns.ts';
import { filterMerged, labelsForFilters, readFilters } from './filters.ts';
import { mergeChoice, rangeOf } from './merged.ts';
import { type Parameters, present, readSelector, readStepMs, readTimeRange } from './parameters.ts';
import { type Choice, chooseProfile } from './profile-choice.ts';

/** Steps that are merged one by one, for a function or for filters. */
const maxMergedSteps = 500;

/**
 * Values over time; one line for each value of the label `by`, the one with the most first. With `function` the value of that
 * function (`value` total or self), with filters that of the samples they leave.
 */
export async function answerQueryRange(
  storage: StorageReader,
  parameters: Parameters,
  nowMs: number,
  check: Check,
): Promise<http.QueryRangeAnswer> {
  const range = readTimeRange(parameters, nowMs);
  const stepMs = readStepMs(parameters, range);
  const by = present(parameters, 'by');
  const names = by === undefined ? [] : [by];
  const filters = readFilters(parameters);
  const part = readPart(parameters);
  const choice = await chooseProfile(storage, readSelector(parameters), range);
  let lines = choice === null ? [] : await rangeOf(storage, choice, stepMs, names, check);
  if (choice !== null && (part !== null || !isUnfiltered(filters))) {
    lines = await partOf(storage, lines, { choice, stepMs, names, filters, part, check });
  }
  const sorted = lines
    .map((line) => ({ line, sum: line.values.reduce((sum, value) => sum + value, 0n) }))
    .sort((a, b) => (a.sum < b.sum ? 1 : a.sum > b.sum ? -1 : 0));
  return {
    ...answerHead(choice, range),
    stepMs,
    series: sorted.map(({ line }) => ({
      labels: { ...line.labels },
      times: [...line.times],
      values: line.values.map(String),
      samples: [...line.samples],
    })),
  };
}

/** What of a function is asked for. */
interface Part {
  readonly name: string;
  readonly isSelf: boolean;
}

/** @throws Refused 400 `bad_value` */
function readPart(parameters: Parameters): Part | null {
  const value = present(parameters, 'value') ?? 'total';
  if (value !== 'total' && value !== 'self') {
    throw new Refused(400, 'bad_value', `value is ${JSON.stringify(value)}: give total or self`, 'value');
  }
  const name = present(parameters, 'function');
  return name === undefined ? null : { name, isSelf: value === 'self' };
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
  const value = (part.isSelf ? functions.self[row] : functions.total[row]) ?? 0n;
  return { value, samples: (part.isSelf ? functions.selfSamples[row] : functions.samples[row]) ?? 0 };
}
