import { type FunctionLines, TREE_MEDIA_TYPE } from '@everflame/profile';
import type { http } from '@everflame/protocols';
import type { Span } from '../state/time-range.ts';
import { stepFor } from '../state/time-range.ts';
import { type Answer, failure, getBytes, getJson, type Params } from './api.ts';
import { askWorker } from './ask-worker.ts';
import { type BuildIds, buildIdsOf } from './build-ids.ts';
import type { DiffResult } from './diff-result.ts';
import { inOrder } from './finding-order.ts';
import { functionLinesOf } from './source-of-lines.ts';
import { diffTreeOf, type Tree } from './tree-columns.ts';

/** What an answer says beside its tree. */
export interface MergedTree {
  readonly tree: Tree;
  readonly unit: string;
  readonly profileType: string;
  readonly profiles: number;
}

/** The filters of `go tool pprof`, by their names there; empty ones are not set. */
export interface Filters {
  readonly focus: string;
  readonly ignore: string;
  readonly hide: string;
  readonly show_from: string;
}

export function filtersOf({ focus, ignore, hide, show_from }: Filters): Filters {
  return { focus, ignore, hide, show_from };
}

export const bounds = ({ fromMs, untilMs }: Span): Params => ({ from: Math.floor(fromMs), until: Math.ceil(untilMs) });

export interface TreeRequest {
  readonly query: string;
  readonly span: Span;
  readonly groupBy: string;
  /** Each line of a function is a frame of its own. */
  readonly byLine: boolean;
  readonly filters: Filters;
  /** Nodes that are sent at once; what is beyond them comes as exact remainders. Empty: all. */
  readonly maxNodes: string;
  /** Path id of the node below which the tree is asked for; left out: the root. */
  readonly node?: string;
}

/** The tree in columns; decoded and checked beside the page, which meanwhile goes on. */
export async function loadFlamegraph(request: TreeRequest, signal: AbortSignal): Promise<Answer<MergedTree>> {
  const { query, span, groupBy, byLine, filters, maxNodes, node } = request;
  const shape = { group_by: groupBy, granularity: byLine ? 'lines' : '', max_nodes: maxNodes, node };
  const params = { query, ...bounds(span), ...filters, ...shape };
  const answer = await getBytes('/flamegraph', params, TREE_MEDIA_TYPE, signal);
  if (!answer.ok) return answer;
  performance.clearMarks('everflame-tree-arrived');
  performance.mark('everflame-tree-arrived');
  try {
    const { head, tree } = await askWorker<'decode'>({ kind: 'decode', bytes: answer.value }, signal, [answer.value]);
    return { ok: true, value: { tree, unit: head.unit, profileType: head.profileType, profiles: head.profiles } };
  } catch (error) {
    if (signal.aborted) throw error;
    const detail = error instanceof Error ? error.message : String(error);
    return failure(0, 'damaged', 'The answer cannot be shown', detail);
  }
}

/** Exact value of the samples of a request that a focus, in RE2's syntax, keeps. */
export async function loadFocusTotal(
  { query, span, filters }: TreeRequest,
  focus: string,
  signal: AbortSignal,
): Promise<Answer<bigint>> {
  const params = { query, ...bounds(span), ...filters, focus, max_nodes: '1' };
  const answer = await getJson<http.FlamegraphAnswer>('/flamegraph', params, signal);
  return answer.ok ? { ok: true, value: BigInt(answer.value.nodes.total[0] ?? '0') } : answer;
}

/** What each line of a function costs in the samples of a request. */
export async function loadLines(
  { query, span, filters }: TreeRequest,
  name: string,
  signal: AbortSignal,
): Promise<Answer<FunctionLines>> {
  const params = { query, ...bounds(span), ...filters, function: name };
  const answer = await getJson<http.LinesAnswer>('/lines', params, signal);
  return answer.ok ? { ok: true, value: functionLinesOf(answer.value) } : answer;
}

/** The builds that the samples of a request pass through. */
export async function loadBuildIds(
  { query, span, filters }: TreeRequest,
  signal: AbortSignal,
): Promise<Answer<BuildIds>> {
  const answer = await getJson<http.BinariesAnswer>('/binaries', { query, ...bounds(span), ...filters }, signal);
  return answer.ok ? { ok: true, value: buildIdsOf(answer.value.binaries) } : answer;
}

/** The text of lines, where the server may read the file. */
export function loadSource(
  file: string,
  first: number,
  last: number,
  signal: AbortSignal,
): Promise<Answer<http.SourceAnswer>> {
  return getJson<http.SourceAnswer>('/source', { file, first, last }, signal);
}

export interface SideRequest {
  readonly query: string;
  readonly span: Span;
}

export async function loadDiff(
  before: SideRequest,
  after: SideRequest,
  signal: AbortSignal,
): Promise<Answer<DiffResult>> {
  const side = (name: string, { query, span }: SideRequest): Params => ({
    [`${name}_query`]: query,
    [`${name}_from`]: Math.floor(span.fromMs),
    [`${name}_until`]: Math.ceil(span.untilMs),
  });
  const params = { ...side('before', before), ...side('after', after) };
  const answer = await getJson<http.DiffAnswer>('/diff', params, signal);
  if (!answer.ok) return answer;
  return { ok: true, value: { ...answer.value, tree: diffTreeOf(answer.value) } };
}

export interface CompareRequest {
  /** Profile type. */
  readonly type: string;
  readonly service: string;
  /** Environment of both versions; empty: all. */
  readonly env: string;
  /** With `isOfVersions` the names of both sides are versions of the service. */
  readonly isOfVersions: boolean;
  readonly before: SideRequest & { readonly name: string };
  readonly after: SideRequest & { readonly name: string };
  readonly normalisation: 'share' | 'cores';
  /** Which of repeated looks this is; empty: the only one. */
  readonly look: string;
}

/** Which differences are more than noise: the statistics over the instances of both sides. */
export function loadCompare(request: CompareRequest, signal: AbortSignal): Promise<Answer<http.CompareAnswer>> {
  const { type, service, env, isOfVersions, before, after, normalisation, look } = request;
  const params: Params = {
    ...(isOfVersions
      ? { query: type, service, env, before: before.name, after: after.name }
      : { before_query: before.query, after_query: after.query }),
    before_from: Math.floor(before.span.fromMs),
    before_until: Math.ceil(before.span.untilMs),
    after_from: Math.floor(after.span.fromMs),
    after_until: Math.ceil(after.span.untilMs),
    normalisation,
    look,
  };
  return getJson<http.CompareAnswer>('/compare', params, signal);
}

export function loadRange(
  query: string,
  span: Span,
  by: string,
  signal: AbortSignal,
  filters?: Filters,
): Promise<Answer<http.QueryRangeAnswer>> {
  const params = { query, ...bounds(span), step: stepFor(span), by, ...filters };
  return getJson<http.QueryRangeAnswer>('/query_range', params, signal);
}

/** Without functions (`top` 0) it is there many times sooner. */
export function loadServices(span: Span, top: number, signal: AbortSignal): Promise<Answer<http.ServicesAnswer>> {
  return getJson<http.ServicesAnswer>('/services', { ...bounds(span), top }, signal);
}

export function loadStatus(signal: AbortSignal): Promise<Answer<http.StatusAnswer>> {
  return getJson<http.StatusAnswer>('/status', {}, signal);
}

export function loadDeployments(signal: AbortSignal): Promise<Answer<http.DeploymentsAnswer>> {
  return getJson<http.DeploymentsAnswer>('/deployments', {}, signal);
}

/** What the server has found by itself, see `inOrder`. */
export async function loadFindings(
  asked: { readonly state: 'open' | 'closed' | 'all'; readonly service?: string; readonly limit: number },
  signal: AbortSignal,
): Promise<Answer<http.FindingsAnswer>> {
  const answer = await getJson<http.FindingsAnswer>('/findings', asked, signal);
  if (!answer.ok) return answer;
  return { ok: true, value: { ...answer.value, findings: [...inOrder(answer.value.findings)] } };
}

export function loadProfileTypes(span: Span, signal: AbortSignal): Promise<Answer<http.ProfileTypesAnswer>> {
  return getJson<http.ProfileTypesAnswer>('/profile-types', bounds(span), signal);
}

export function loadLabelNames(span: Span, signal: AbortSignal): Promise<Answer<http.LabelNamesAnswer>> {
  return getJson<http.LabelNamesAnswer>('/labels', bounds(span), signal);
}

export function loadLabelValues(
  name: string,
  span: Span,
  signal: AbortSignal,
): Promise<Answer<http.LabelValuesAnswer>> {
  return getJson<http.LabelValuesAnswer>(`/labels/${encodeURIComponent(name)}/values`, bounds(span), signal);
}
