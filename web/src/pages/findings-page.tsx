import { useEffect, useMemo } from 'preact/hooks';
import { loadDeployments, loadFindings } from '../data/queries.ts';
import { serverNow } from '../data/server-clock.ts';
import { useQuery } from '../data/use-query.ts';
import { type FindingsState, findingsHref, findingsState } from '../state/page-state.ts';
import { navigate } from '../state/router.ts';
import { EmptyStore } from '../views/empty-store.tsx';
import { FindingList } from '../views/finding-list.tsx';
import { nothingText } from '../views/finding-strip.tsx';
import { FindingWatch } from '../views/finding-watch.tsx';
import { plural } from '../views/format.ts';
import { ProblemNotice, Progress } from '../views/notices.tsx';
import { Segmented } from '../views/show-switch.tsx';
import { useAutoRefresh, useSpan } from '../views/use-span.ts';

/** As many as are asked for; the rest is older. */
const most = 200;

/** What changed, as the server has found it by looking at every service once a minute. */
export function FindingsPage({ search }: { search: string }) {
  const state = useMemo(() => findingsState.parse(search), [search]);
  const change = (part: Partial<FindingsState>) => navigate(findingsHref({ ...state, ...part }));
  const { refresh, tick } = useSpan('now-1h', 'now');
  const loaded = useQuery(JSON.stringify([state, tick]), async (signal) =>
    loadFindings({ ...state, limit: most }, signal),
  );
  useAutoRefresh(refresh, 'now', true, 30_000);
  useEffect(() => {
    document.title = 'Findings · Everflame';
  }, []);
  const findings = loaded.value?.findings ?? [];
  const isNothing = loaded.value !== null && findings.length === 0;
  // Whether nothing was found because nothing is stored.
  const deployments = useQuery(isNothing ? `deployments ${tick}` : null, async (signal) => loadDeployments(signal));
  const isEmptyStore = deployments.value?.deployments.length === 0;
  return (
    <div class="page">
      <div class="page-head">
        <div>
          <h1>Findings</h1>
          <p class="lead">What changed between two versions, or without a deployment, and is more than noise.</p>
        </div>
        <div class="toolbar">
          <Segmented
            label="Which findings"
            value={state.state}
            choices={[
              ['open', 'Open'],
              ['closed', 'Closed'],
              ['all', 'All'],
            ]}
            onChange={(next) => change({ state: next })}
          />
          {state.service !== '' && (
            <button type="button" class="button" onClick={() => change({ service: '' })}>
              {state.service} <span aria-hidden="true">×</span>
              <span class="visually-hidden">: show all services</span>
            </button>
          )}
          <button type="button" class="button" onClick={refresh}>
            Load again
          </button>
        </div>
      </div>
      <Progress active={(loaded.loading && loaded.value === null) || (isNothing && deployments.loading)} />
      {loaded.problem !== null && <ProblemNotice problem={loaded.problem} onRetry={refresh} />}
      {loaded.value === null && loaded.loading && <div class="skeleton table-skeleton" aria-hidden="true" />}
      {findings.length > 0 && <FindingList findings={findings} nowMs={serverNow()} />}
      {findings.length >= most && <p class="hint">The newest {plural(most, 'finding')}; older ones are not shown.</p>}
      {isNothing && isEmptyStore && <EmptyStore />}
      {isNothing && !isEmptyStore && (
        <section class="empty">
          <h2>{state.state === 'open' ? 'No open findings' : 'No such findings'}</h2>
          {state.state === 'open' && <p>The server says {nothingText(loaded.value.watch)}.</p>}
          <p>
            A change is judged once a second version of a service is profiled. Where a version is read from is on the
            Deployments page.
          </p>
        </section>
      )}
      {loaded.value !== null && <FindingWatch watch={loaded.value.watch} nowMs={serverNow()} />}
    </div>
  );
}
