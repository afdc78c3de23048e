import {
  type Amounts,
  diffFunctions,
  diffTrees,
  discardTree,
  type FunctionDiff,
  functionsOfSide,
  Int64Column,
  isUnfiltered,
  type ProfileFilters,
  totalOf,
  unsortedFunctionsOfTree,
} from '@everflame/profile';
import type { http } from '@everflame/protocols';
import { Refused } from '../problem.ts';
import type { MergedDiff, StorageReader, TimeRange } from '../storage/storage.ts';
import type { Check } from './budget.ts';
import { amountTexts, frameColumns } from './columns.ts';
import { readFilters } from './filters.ts';
import { treeOfChoice } from './merged.ts';
import { JSON_MEDIA_TYPE, jsonOf, JsonRows } from './json-columns.ts';
import { type Parameters, present, readSelector, readTimeRange } from './parameters.ts';
import { type Choice, chooseProfile } from './profile-choice.ts';
import type { Reply } from './query-messages.ts';

/** The sides in their order, which is that of their parameters' prefixes. */
const prefixes = ['before_', 'after_'] as const;

/** Two merged trees as one, both whole, and the functions that changed. */
export async function answerDiff(
  storage: StorageReader,
  parameters: Parameters,
  nowMs: number,
  check: Check,
): Promise<Reply> {
  const [before, after] = await Promise.all(prefixes.map((prefix) => chooseSide(storage, parameters, nowMs, prefix)));
  if (before === undefined || after === undefined) throw new Error('a comparison has two sides');
  const said = before.choice ?? after.choice;
  const ids = [before, after].flatMap(({ choice }) => choice?.profileType.id ?? []);
  if (new Set(ids).size > 1) {
    const detail = `the sides have different profile types (${ids.join(', ')}): put the same before both selectors`;
    throw new Refused(400, 'different_profile_types', detail, 'query');
  }
  const { tree, functions, profiles } = await compared(storage, before, after, readFilters(parameters), check);
  const totals = { before: Number(totalOf(tree.before, 0)), after: Number(totalOf(tree.after, 0)) };
  const sides = {
    before: sideHead(before, tree.before, profiles.before),
    after: sideHead(after, tree.after, profiles.after),
  };
  const values = {
    before: { self: new Int64Column(functions.before.self), total: new Int64Column(functions.before.total) },
    after: { self: new Int64Column(functions.after.self), total: new Int64Column(functions.after.total) },
  };
  const share = (side: 'before' | 'after', row: number) =>
    totals[side] === 0 ? null : values[side].self.number(row) / totals[side];
  const amounts = (side: 'before' | 'after', row: number) => ({
    self: values[side].self.text(row),
    total: values[side].total.text(row),
    samples: functions[side].samples[row] ?? 0,
  });
  const body = jsonOf<http.DiffAnswer>({
    profileType: said?.profileType.id ?? '',
    unit: said?.profileType.sampleUnit ?? '',
    ...sides,
    frames: frameColumns(tree),
    nodes: {
      parent: tree.parent,
      frame: tree.frame,
      before: amountTexts(tree.before),
      after: amountTexts(tree.after),
    },
    functions: new JsonRows(functions.presence.length, (row) => ({
      name: functions.frames.name[row] ?? '',
      file: functions.frames.file[row] ?? '',
      before: amounts('before', row),
      after: amounts('after', row),
      shareBefore: share('before', row),
      shareAfter: share('after', row),
      presence: functions.presence[row] ?? 'both',
    })),
  });
  return { contentType: JSON_MEDIA_TYPE, body };
}

interface Compared extends MergedDiff {
  readonly functions: FunctionDiff;
}

async function compared(
  storage: StorageReader,
  before: Side,
  after: Side,
  filters: ProfileFilters,
  check: Check,
): Promise<Compared> {
  if (before.choice !== null && after.choice !== null && isUnfiltered(filters)) {
    check();
    const found = await storage.diff?.({ ...before.choice.selection, check }, { ...after.choice.selection, check });
    check();
    if (found !== null && found !== undefined) {
      const { tree } = found;
      return { ...found, functions: diffFunctions(functionsOfSide(tree, 'before'), functionsOfSide(tree, 'after')) };
    }
  }
  const left = await treeOfChoice(storage, before.choice, filters, check);
  const right = await treeOfChoice(storage, after.choice, filters, check);
  const functions = diffFunctions(unsortedFunctionsOfTree(left.tree), unsortedFunctionsOfTree(right.tree));
  const tree = diffTrees(left.tree, right.tree);
  for (const side of [left, right]) discardTree(side.tree);
  return { tree, functions, profiles: { before: left.profiles, after: right.profiles } };
}

interface Side {
  readonly query: string;
  readonly range: TimeRange;
  readonly choice: Choice | null;
}

async function chooseSide(
  storage: StorageReader,
  parameters: Parameters,
  nowMs: number,
  prefix: (typeof prefixes)[number],
): Promise<Side> {
  const range = readTimeRange(parameters, nowMs, prefix);
  const query = present(parameters, `${prefix}query`) ?? present(parameters, 'query') ?? '';
  return { query, range, choice: await chooseProfile(storage, readSelector(parameters, prefix), range) };
}

function sideHead({ query, range }: Side, amounts: Amounts, profiles: number): http.DiffAnswer['before'] {
  return {
    total: String(totalOf(amounts, 0)),
    samples: amounts.samples[0] ?? 0,
    profiles,
    from: range.fromMs,
    until: range.untilMs,
    query,
  };
}
