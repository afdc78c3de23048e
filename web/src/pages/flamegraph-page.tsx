import { NO_GROUP } from '@everflame/profile';
import { useCallback, useEffect, useMemo, useState } from 'preact/hooks';
import { apiUrl } from '../data/api.ts';
import { warmWorker } from '../data/ask-worker.ts';
import { chartMarks } from '../data/chart-marks.ts';
import {
  bounds,
  filtersOf,
  loadBuildIds,
  loadDeployments,
  loadFlamegraph,
  loadFocusTotal,
  loadLabelNames,
  loadLines,
  loadRange,
  loadSource,
} from '../data/queries.ts';
import { useStoreStart } from '../data/store-start.ts';
import { useQuery } from '../data/use-query.ts';
import { type FlamegraphState, flamegraphHref, flamegraphState } from '../state/page-state.ts';
import { joinQuery, labelIn, splitQuery, withLabel } from '../state/query-text.ts';
import { navigate } from '../state/router.ts';
import type { Span } from '../state/time-range.ts';
import { EmptyRange } from '../views/empty-range.tsx';
import { ProblemNotice, Progress } from '../views/notices.tsx';
import { QueryBar } from '../views/query-bar.tsx';
import { RangeChart } from '../views/range-chart.tsx';
import { RangePicker } from '../views/range-picker.tsx';
import { splitChoices } from '../views/split-choices.ts';
import { useAutoRefresh, useSpan } from '../views/use-span.ts';
import { averageOf, stepsOf } from '../tree/average.ts';
import { FlamegraphPanel } from './flamegraph-panel.tsx';

/** One query over one range: its use over time, its flame graph, its functions. */
export function FlamegraphPage({ search }: { search: string }) {
  const state = useMemo(() => flamegraphState.parse(search), [search]);
  const change = useCallback(
    (part: Partial<FlamegraphState>, how: 'push' | 'replace' = 'push') =>
      navigate(flamegraphHref({ ...state, ...part }), how),
    [state],
  );
  const { span, message, refresh, tick } = useSpan(state.from, state.until);
  const { span: covered } = useStoreStart(span, state.until, tick);
  const filters = filtersOf(state);
  const key = covered === null ? null : JSON.stringify([state.query, covered, state.by, filters, tick]);
  const byLine = state.frames === 'line';
  const treeKey = key === null ? null : JSON.stringify([key, state.nodes, byLine]);
  const here: Span = covered ?? { fromMs: 0, untilMs: 1 };
  const request = { query: state.query, span: here, groupBy: state.by, byLine, filters, maxNodes: state.nodes };
  const merged = useQuery(treeKey, async (signal) => loadFlamegraph(request, signal));
  const overTime = useQuery(key, async (signal) => loadRange(state.query, here, state.by, signal, filters));
  const deployments = useQuery(covered === null ? null : 'deployments', async (signal) => loadDeployments(signal));
  const average = useMemo(
    () => (overTime.value === null ? null : averageOf(stepsOf(overTime.value))),
    [overTime.value],
  );
  // A merge of everything: only once somebody looks at a frame.
  const [areBuildsWanted, wantBuilds] = useState(false);
  const buildIds = useQuery(areBuildsWanted ? key : null, async (signal) => loadBuildIds(request, signal));
  const builds = useMemo(() => ({ ids: buildIds.value, ask: () => wantBuilds(true) }), [buildIds.value]);
  useEffect(warmWorker, []);
  const labels = useQuery(covered === null ? null : JSON.stringify(covered), async (signal) =>
    loadLabelNames(here, signal),
  );
  const isEmpty = merged.value !== null && merged.value.profiles === 0;
  const isFirstLoad = span !== null && merged.value === null && merged.problem === null;
  useAutoRefresh(refresh, state.until, isEmpty, 5000);
  useEffect(() => {
    document.title = `${splitQuery(state.query).selector || 'Flame graph'} · Everflame`;
  }, [state.query]);

  const { type, selector } = splitQuery(state.query);
  const service = labelIn(selector, 'service_name');
  const marks = useMemo(
    () => chartMarks(deployments.value, service, here),
    [deployments.value, service, here.fromMs, here.untilMs],
  );
  const brush = (chosen: Span) => change({ from: String(chosen.fromMs), until: String(chosen.untilMs) });
  return (
    <div class="page">
      <h1 class="visually-hidden">Explore</h1>
      <div class="toolbar">
        <QueryBar query={state.query} span={span} onChange={(query) => change({ query, zoom: '' })} />
        <RangePicker
          from={state.from}
          until={state.until}
          span={span}
          problem={message}
          onChange={(from, until) => change({ from, until })}
          onRefresh={refresh}
        />
      </div>
      <Progress
        active={isFirstLoad || merged.loading || overTime.loading}
        onCancel={() => {
          if (merged.loading) merged.cancel?.();
          if (overTime.loading) overTime.cancel?.();
        }}
      />
      {message !== null && <p class="notice is-problem">{message}</p>}
      <div class="chart-head">
        <h2>{overTime.value === null || overTime.value.unit === 'nanoseconds' ? 'Cores over time' : 'Over time'}</h2>
        <label class="field is-inline">
          <span>Split by</span>
          <select value={state.by} onChange={(event) => change({ by: event.currentTarget.value, zoom: '' })}>
            {splitChoices(labels.value, state.by).map(([value, label]) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
          </select>
        </label>
      </div>
      <RangeChart
        answer={overTime.value}
        span={here}
        by={state.by}
        loading={overTime.loading}
        marks={marks}
        onBrush={brush}
        onPick={(value) =>
          change({ query: joinQuery({ type, selector: withLabel(selector, state.by, value) }), by: '', zoom: '' })
        }
      />
      {merged.problem !== null && <ProblemNotice problem={merged.problem} onRetry={refresh} />}
      {merged.problem === null && overTime.problem !== null && (
        <ProblemNotice problem={overTime.problem} onRetry={refresh} />
      )}
      {isEmpty && (
        <EmptyRange query={state.query} from={state.from} onAll={() => change({ from: 'now-7d', until: 'now' })} />
      )}
      {isFirstLoad && <div class="skeleton flame-skeleton" aria-hidden="true" />}
      {merged.value !== null && !isEmpty && (
        <FlamegraphPanel
          merged={merged.value}
          average={average}
          state={state}
          change={change}
          stale={merged.loading}
          name={service === '' ? 'everflame' : service}
          pprofHref={apiUrl('/pprof', { query: state.query, ...bounds(here), ...filters })}
          loadPart={async (id, signal) =>
            loadFlamegraph({ ...request, maxNodes: '', ...(id !== '' && { node: id }) }, signal)
          }
          countFocus={filters.focus === '' ? async (source, signal) => loadFocusTotal(request, source, signal) : null}
          lines={{ load: async (name, signal) => loadLines(request, name, signal), text: loadSource }}
          builds={builds}
          onGroup={(value) =>
            change({
              query: joinQuery({ type, selector: withLabel(selector, state.by, value === NO_GROUP ? '' : value) }),
              by: '',
              zoom: '',
            })
          }
        />
      )}
    </div>
  );
}
