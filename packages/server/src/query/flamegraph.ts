import {
  buildTree,
  discardTree,
  encodeTree,
  type LimitedTree,
  limitTree,
  nodeOfPath,
  nodeOfPathId,
  type Tree,
  TREE_MEDIA_TYPE,
  type TreeLimits,
} from '@everflame/profile';
import type { http } from '@everflame/protocols';
import { Refused } from '../problem.ts';
import type { StorageReader } from '../storage/storage.ts';
import type { Check } from './budget.ts';
import { amountTexts, answerHead, frameColumns } from './columns.ts';
import { JSON_MEDIA_TYPE, jsonOf } from './json-columns.ts';
import { mergeFor, treeFor } from './merged.ts';
import { type Parameters, present } from './parameters.ts';
import type { Reply } from './query-messages.ts';

/** The merged tree, by a label's values first when `group_by` names one; below a node and within limits where asked for. */
export async function answerFlamegraph(
  storage: StorageReader,
  parameters: Parameters,
  nowMs: number,
  check: Check,
): Promise<Reply> {
  const { head, tree, limited } = await readTree(storage, parameters, nowMs, check);
  const shown = limited ?? tree;
  const body = jsonOf<http.FlamegraphAnswer>({
    ...head,
    frames: frameColumns(shown),
    nodes: {
      parent: shown.parent,
      frame: shown.frame,
      ...amountTexts(shown),
      ...(limited === null ? {} : { rest: limited.rest }),
    },
  });
  // Without limits it is the tree that was shown.
  discardTree(tree);
  return { contentType: JSON_MEDIA_TYPE, body };
}

/** The same as columns in one file, see docs/tree-format.md. */
export async function answerTreeFile(
  storage: StorageReader,
  parameters: Parameters,
  nowMs: number,
  check: Check,
): Promise<Reply> {
  const { head, tree, limited } = await readTree(storage, parameters, nowMs, check);
  const body = encodeTree(limited ?? tree, head);
  discardTree(tree);
  return { contentType: TREE_MEDIA_TYPE, body };
}

interface TreeAnswer {
  readonly head: ReturnType<typeof answerHead> & { readonly profiles: number };
  readonly tree: Tree;
  /** Null: nothing but the whole tree was asked for. */
  readonly limited: LimitedTree | null;
}

async function readTree(
  storage: StorageReader,
  parameters: Parameters,
  nowMs: number,
  check: Check,
): Promise<TreeAnswer> {
  const limits = readLimits(parameters);
  const groupBy = present(parameters, 'group_by');
  const byLine = readGranularity(parameters) === 'lines';
  if (groupBy !== undefined || byLine) {
    const names = groupBy === undefined ? [] : [groupBy];
    const { range, choice, merged } = await mergeFor(storage, parameters, nowMs, names, check);
    const head = { ...answerHead(choice, range), profiles: merged.profiles };
    const tree = buildTree(merged.profile, merged.typeIndex, { byLine, ...(groupBy === undefined ? {} : { groupBy }) });
    check();
    return { head, tree, limited: limitedTree(tree, parameters, limits) };
  }
  const { maxNodes, ...others } = limits;
  const isFirstView = maxNodes !== undefined && Object.keys(others).length === 0 && !isBelow(parameters);
  const answer = await treeFor(storage, parameters, nowMs, check, isFirstView ? maxNodes : undefined);
  const { range, choice, tree, profiles } = answer;
  const head = { ...answerHead(choice, range), profiles };
  if (isFirstView) {
    // The limit says that a remainder may be in it.
    return { head, tree, limited: 'rest' in tree ? tree : limitTree(tree, limits) };
  }
  return { head, tree, limited: limitedTree(tree, parameters, limits) };
}

/** @throws Refused 400 `bad_value` */
function readGranularity(parameters: Parameters): 'functions' | 'lines' {
  const text = present(parameters, 'granularity') ?? 'functions';
  if (text === 'functions' || text === 'lines') return text;
  const detail = `granularity is ${JSON.stringify(text)}: give functions or lines`;
  throw new Refused(400, 'bad_value', detail, 'granularity');
}

/** Null: the whole tree is asked for. */
function limitedTree(tree: Tree, parameters: Parameters, limits: TreeLimits): LimitedTree | null {
  const first = findNode(tree, parameters);
  const isWhole = first === 0 && Object.keys(limits).length === 0;
  return isWhole ? null : limitTree(tree, limits, first);
}

/** Whether a node is asked for. */
function isBelow(parameters: Parameters): boolean {
  return ['path', 'node'].some((name) => present(parameters, name) !== undefined);
}

/** @throws Refused 400 `bad_limit` */
function readLimits(parameters: Parameters): TreeLimits {
  const maxDepth = readLimit(parameters, 'max_depth', 0n);
  const maxNodes = readLimit(parameters, 'max_nodes', 1n);
  const minValue = readLimit(parameters, 'min_value', 0n);
  return {
    ...(maxDepth === undefined ? {} : { maxDepth: Number(maxDepth) }),
    ...(maxNodes === undefined ? {} : { maxNodes: Number(maxNodes) }),
    ...(minValue === undefined ? {} : { minValue }),
  };
}

function readLimit(parameters: Parameters, name: string, least: bigint): bigint | undefined {
  const text = present(parameters, name);
  if (text === undefined) return undefined;
  if (/^[0-9]{1,18}$/.test(text) && BigInt(text) >= least) return BigInt(text);
  throw new Refused(400, 'bad_limit', `${name} is ${JSON.stringify(text)}: give a whole number from ${least} on`, name);
}

/**
 * The node that `path` or `node` names; the root where neither is given.
 *
 * @throws Refused 400 `bad_path`, 404 `no_such_node`
 */
function findNode(tree: Tree, parameters: Parameters): number {
  const path = present(parameters, 'path');
  const id = present(parameters, 'node');
  if (path === undefined && id === undefined) return 0;
  const node = path === undefined ? nodeOfPathId(tree, id ?? '') : nodeOfPath(tree, readPath(path));
  if (node !== undefined) return node;
  const detail = 'there is no such node in this tree: its function has no samples here, or is reached by another path';
  throw new Refused(404, 'no_such_node', detail, path === undefined ? 'node' : 'path');
}

function readPath(text: string): readonly string[] {
  const wrong = new Refused(400, 'bad_path', 'path is no JSON array of names, ["main","parse"]', 'path');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) throw wrong;
    throw error;
  }
  if (!Array.isArray(value) || !value.every((name) => typeof name === 'string')) throw wrong;
  return value;
}
