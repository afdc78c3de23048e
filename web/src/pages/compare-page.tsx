import type { http } from '@everflame/protocols';
import { useCallback, useEffect, useMemo } from 'preact/hooks';
import type { Answer } from '../data/api.ts';
import { loadCompare, loadDeployments, loadDiff, loadRange } from '../data/queries.ts';
import { serverNow } from '../data/server-clock.ts';
import { useQuery } from '../data/use-query.ts';
import { servicesOf, versionLives } from '../data/version-lives.ts';
import { changedComparison, type CompareState, compareHref, compareState } from '../state/page-state.ts';
import { navigate } from '../state/router.ts';
import { sidesOf } from '../state/sides.ts';
import { averageOf, stepsOf } from '../tree/average.ts';
import { CompareControls } from '../views/compare-controls.tsx';
import { EmptyStore } from '../views/empty-store.tsx';
import { ProblemNotice, Progress } from '../views/notices.tsx';
import { useSpan } from '../views/use-span.ts';
import { BrushChart } from './brush-chart.tsx';
import { ComparePanel } from './compare-panel.tsx';

/** Two versions of a service, or the same service at two times: what changed. */
export function ComparePage({ search }: { search: string }) {
  const state = useMemo(() => compareState.parse(search), [search]);
  const change = useCallback(
    (part: Partial<CompareState>, how: 'push' | 'replace' = 'push') =>
      navigate(compareHref(changedComparison(state, part)), how),
    [state],
  );
  const { refresh, tick } = useSpan('now-1h', 'now');
  const deployments = useQuery(`deployments ${tick}`, async (signal) => loadDeployments(signal));
  const services = useMemo(
    () => (deployments.value === null ? [] : servicesOf(deployments.value)),
    [deployments.value],
  );
  const service = state.service !== '' ? state.service : interestingService(services, deployments.value);
  const lives = useMemo(
    () => (deployments.value === null ? [] : versionLives(deployments.value, service)),
    [deployments.value, service],
  );
  // Held still until something is changed or refreshed, so that "now" is one moment for all requests.
  const asked = JSON.stringify([
    [state.how, state.type, state.env, state.before, state.after, state.from, state.until],
    [state.before_from, state.before_until, state.after_from, state.after_until],
  ]);
  const sides = useMemo(
    () => (deployments.value === null ? null : sidesOf(state, service, lives, serverNow())),
    [asked, service, lives, deployments.value, tick],
  );
  const ready = sides?.kind === 'ready' ? sides : null;
  const key = ready === null ? null : JSON.stringify([ready.before, ready.after, tick]);
  const diff = useQuery(key, async (signal) =>
    ready === null ? neverAsked : loadDiff(ready.before, ready.after, signal),
  );
  const rates = useQuery(key, async (signal): Promise<Answer<readonly http.QueryRangeAnswer[]>> => {
    if (ready === null) return neverAsked;
    const [before, after] = await Promise.all(
      [ready.before, ready.after].map(async (side) => loadRange(side.query, side.span, '', signal)),
    );
    if (before?.ok === true && after?.ok === true) return { ok: true, value: [before.value, after.value] };
    if (before?.ok === false) return before;
    return after?.ok === false ? after : neverAsked;
  });
  // The picture does not wait for the statistics, which look at every instance of both sides.
  const normalisation = state.values === 'amounts' ? ('cores' as const) : ('share' as const);
  const compared = useQuery(key === null ? null : `${key} ${normalisation} ${state.look}`, async (signal) =>
    ready === null
      ? neverAsked
      : loadCompare(
          {
            type: state.type,
            service,
            env: state.env,
            isOfVersions: state.how === 'versions',
            ...ready,
            normalisation,
            look: state.look,
          },
          signal,
        ),
  );
  useEffect(() => {
    document.title = `Compare ${service} · Everflame`;
  }, [service]);
  const [rangeBefore, rangeAfter] = rates.value ?? [];
  const averages = {
    before: rangeBefore === undefined ? null : averageOf(stepsOf(rangeBefore)),
    after: rangeAfter === undefined ? null : averageOf(stepsOf(rangeAfter)),
  };
  const problem = deployments.problem ?? diff.problem ?? rates.problem;
  return (
    <div class="page">
      <h1 class="visually-hidden">Compare</h1>
      <CompareControls
        state={state}
        service={service}
        services={services}
        lives={lives}
        change={change}
        onRefresh={refresh}
      />
      <Progress
        active={deployments.loading || diff.loading || compared.loading}
        onCancel={() => {
          if (diff.loading) diff.cancel?.();
          if (compared.loading) compared.cancel?.();
        }}
      />
      {ready !== null && state.how === 'ranges' && (
        <BrushChart service={service} state={state} sides={ready} change={change} tick={tick} />
      )}
      {problem !== null && <ProblemNotice problem={problem} onRetry={refresh} />}
      {sides?.kind === 'unclear' && <p class="notice is-problem">{sides.message}</p>}
      {sides?.kind === 'no-service' && <EmptyStore />}
      {sides?.kind === 'one-version' && (
        <section class="empty">
          <h2>
            {service} has been seen in {lives.length === 0 ? 'no version' : `one version, ${lives[0]?.version}`}
          </h2>
          <p>
            Versions come from <code>OTEL_RESOURCE_ATTRIBUTES=service.version=…</code> in the environment of the
            process, or from the <code>service_version</code> of an upload. Without a second one, two times can be
            compared.
          </p>
          <button type="button" class="button is-primary" onClick={() => change({ how: 'ranges', service })}>
            Compare two time ranges
          </button>
        </section>
      )}
      {diff.value === null && diff.loading && <div class="skeleton flame-skeleton" aria-hidden="true" />}
      {diff.value !== null && ready !== null && (
        <ComparePanel
          diff={diff.value}
          sides={ready}
          averages={averages}
          compared={compared}
          service={service}
          state={state}
          change={change}
          stale={diff.loading}
        />
      )}
    </div>
  );
}

const neverAsked = {
  ok: false,
  problem: {
    type: 'about:blank',
    title: 'Nothing to compare',
    status: 0,
    code: 'nothing',
    detail: 'Choose a service.',
  },
} as const;

/** One with two versions to compare, else any. */
function interestingService(services: readonly string[], answer: http.DeploymentsAnswer | null): string {
  if (answer === null) return '';
  const comparable = services.filter((name) => versionLives(answer, name).length > 1);
  const newest = (name: string) => versionLives(answer, name)[0]?.firstSeen ?? 0;
  return comparable.toSorted((a, b) => newest(b) - newest(a))[0] ?? services[0] ?? '';
}
