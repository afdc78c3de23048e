import type { http } from '@everflame/protocols';
import type { Span } from '../state/time-range.ts';
import { stepFor } from '../state/time-range.ts';
import { type Answer, type Params, getJson } from './api.ts';
import { type DiffTree, type Tree, diffTreeOf, treeOf } from './tree-columns.ts';

/** What an answer says beside its tree. */
export interface MergedTree {
  readonly tree: Tree;
  readonly unit: string;
  readonly profileType: string;
  readonly profiles: number;
}

const bounds = ({ fromMs, untilMs }: Span): Params => ({ from: Math.floor(fromMs), until: Math.ceil(untilMs) });

export async function loadFlamegraph(
  query: string,
  span: Span,
  groupBy: string,
  signal: AbortSignal,
): Promise<Answer<MergedTree>> {
  const params = { query, ...bounds(span), group_by: groupBy };
  const answer = await getJson<http.FlamegraphAnswer>('/flamegraph', params, signal);
  if (!answer.ok) return answer;
  const { unit, profileType, profiles } = answer.value;
  return { ok: true, value: { tree: treeOf(answer.value), unit, profileType, profiles } };
}

export type DiffSide = http.DiffAnswer['before'];
export interface DiffResult {
  readonly tree: DiffTree;
  readonly unit: string;
  readonly before: DiffSide;
  readonly after: DiffSide;
  readonly functions: http.DiffAnswer['functions'];
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

export function loadRange(
  query: string,
  span: Span,
  by: string,
  signal: AbortSignal,
): Promise<Answer<http.QueryRangeAnswer>> {
  const params = { query, ...bounds(span), step: stepFor(span), by };
  return getJson<http.QueryRangeAnswer>('/query_range', params, signal);
}

export function loadServices(span: Span, signal: AbortSignal): Promise<Answer<http.ServicesAnswer>> {
  return getJson<http.ServicesAnswer>('/services', bounds(span), signal);
}

export function loadStatus(signal: AbortSignal): Promise<Answer<http.StatusAnswer>> {
  return getJson<http.StatusAnswer>('/status', {}, signal);
}

export function loadDeployments(signal: AbortSignal): Promise<Answer<http.DeploymentsAnswer>> {
  return getJson<http.DeploymentsAnswer>('/deployments', {}, signal);
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
