import { type StateOf, choice, count, text, urlState } from './fields.ts';

export const cpuType = 'process_cpu:cpu:nanoseconds:cpu:nanoseconds';
const range = { from: text('now-1h'), until: text('now') };

export const overviewState = urlState({ ...range, show: choice(['top', 'all']) });

/** What a panel with a flame graph shows of its samples. */
const panel = {
  /** Label whose values are the first level of the tree and the bands of the chart. */
  by: text(''),
  /** Place in the tree; see tree/focus-code.ts. */
  zoom: text(''),
  search: text(''),
  show: choice(['both', 'graph', 'table', 'tree', 'sandwich', 'source']),
  /** Function whose callers and callees, or whose lines, are shown. */
  fn: text(''),
  sort: choice(['self', 'total', 'name', 'samples']),
  filter: text(''),
  /** As in `go tool pprof`. */
  focus: text(''),
  ignore: text(''),
  hide: text(''),
  show_from: text(''),
  frames: choice(['function', 'line', 'file', 'binary']),
  order: choice(['callees', 'callers']),
  recursion: choice(['as-is', 'collapsed']),
  libraries: choice(['as-is', 'grouped']),
  grow: choice(['down', 'up']),
  colours: choice(['kind', 'binary', 'heat']),
};

export const flamegraphState = urlState({
  query: text(cpuType),
  ...range,
  ...panel,
  /** Nodes of the tree that are sent at once. */
  nodes: text('1000000'),
});

export const compareState = urlState({
  service: text(''),
  type: text(cpuType),
  how: choice(['versions', 'ranges']),
  /** Versions; empty: the newest and the one before it. */
  before: text(''),
  after: text(''),
  /** With `how=versions`. Empty: all that is stored of both, at most the last day of each. */
  from: text(''),
  until: text('now'),
  /** deployment_environment_name that both sides are limited to; empty: all. */
  env: text(''),
  /** A range of each side: of `how=ranges`, else all four say what of both versions is compared, as a finding does. */
  before_from: text(''),
  before_until: text(''),
  after_from: text(''),
  after_until: text(''),
  /** Which of the repeated looks at these sides this is, as a finding says; its intervals then hold over all of them. */
  look: count(),
  width: choice(['after', 'before', 'both']),
  values: choice(['shares', 'amounts']),
  zoom: text(''),
  search: text(''),
  only: choice(['all', 'significant', 'new', 'gone']),
  /** What the table of functions compares. */
  of: choice(['self', 'total']),
  sort: choice(['change', 'before', 'after', 'name', 'verdict']),
  /** Which side a brush over the chart sets. */
  brush: choice(['after', 'before']),
  filter: text(''),
});

/** Files are looked at in the browser; the URL says how, not which. */
export const uploadState = urlState({
  ...panel,
  /** Place of the file that is shown. */
  file: text('0'),
  type: text(''),
  compare: choice(['no', 'yes']),
  swap: choice(['no', 'yes']),
  width: choice(['after', 'before', 'both']),
  values: choice(['shares', 'amounts']),
  only: choice(['all', 'significant', 'new', 'gone']),
  of: choice(['self', 'total']),
  change_sort: choice(['change', 'before', 'after', 'name', 'verdict']),
});

const sideFields: readonly string[] = [
  'service',
  'type',
  'how',
  'env',
  'before',
  'after',
  'from',
  'until',
  'before_from',
  'before_until',
  'after_from',
  'after_until',
];

/** The state after a change: of other sides nobody has looked before. */
export function changedComparison(state: CompareState, part: Partial<CompareState>): CompareState {
  const hasOtherSides = Object.keys(part).some((name) => sideFields.includes(name));
  return { ...state, ...(hasOtherSides && { look: '' }), ...part };
}

export const deploymentsState = urlState({ service: text('') });
export const findingsState = urlState({ state: choice(['open', 'closed', 'all']), service: text('') });

export type FindingsState = ReturnType<typeof findingsState.parse>;
export type DeploymentsState = ReturnType<typeof deploymentsState.parse>;
export type UploadState = ReturnType<typeof uploadState.parse>;
export type OverviewState = ReturnType<typeof overviewState.parse>;
export type FlamegraphState = ReturnType<typeof flamegraphState.parse>;
export type CompareState = ReturnType<typeof compareState.parse>;
export type { StateOf };

/** Links between pages: a state that is left out is the default. */
export function flamegraphHref(state: Partial<FlamegraphState>): string {
  return href('/flamegraph', flamegraphState.format({ ...flamegraphState.parse(''), ...state }));
}
export function compareHref(state: Partial<CompareState>): string {
  return href('/compare', compareState.format({ ...compareState.parse(''), ...state }));
}
export function deploymentsHref(state: Partial<DeploymentsState>): string {
  return href('/deployments', deploymentsState.format({ ...deploymentsState.parse(''), ...state }));
}
export function findingsHref(state: Partial<FindingsState>): string {
  return href('/findings', findingsState.format({ ...findingsState.parse(''), ...state }));
}
export function uploadHref(state: Partial<UploadState>): string {
  return href('/upload', uploadState.format({ ...uploadState.parse(''), ...state }));
}
export function overviewHref(state: Partial<OverviewState>): string {
  return href('/', overviewState.format({ ...overviewState.parse(''), ...state }));
}
function href(path: string, search: string): string {
  return search === '' ? path : `${path}?${search}`;
}
