import { useEffect } from 'preact/hooks';
import { loadDeployments } from '../data/queries.ts';
import { serverNow } from '../data/server-clock.ts';
import { useQuery } from '../data/use-query.ts';
import { useVerdicts } from '../data/use-verdicts.ts';
import { EmptyStore } from '../views/empty-store.tsx';
import { FindingList, isWorthTelling } from '../views/finding-list.tsx';
import { ProblemNotice, Progress } from '../views/notices.tsx';
import { useSpan } from '../views/use-span.ts';

/** What the newest version of each service changed, judged against the one before. */
export function FindingsPage() {
  const { refresh, tick } = useSpan('now-1h', 'now');
  const deployments = useQuery(`deployments ${tick}`, async (signal) => loadDeployments(signal));
  const changes = useVerdicts(deployments.value);
  useEffect(() => {
    document.title = 'Findings · Everflame';
  }, []);
  const found = changes.filter(isWorthTelling);
  const others = changes.filter((one) => !isWorthTelling(one));
  const isJudging = changes.some(({ answer }) => answer === null);
  return (
    <div class="page">
      <div class="page-head">
        <div>
          <h1>Findings</h1>
          <p class="lead">What the newest version of each service changed, held against the one before it.</p>
        </div>
        <button type="button" class="button" onClick={refresh}>
          Load again
        </button>
      </div>
      <Progress active={deployments.loading || isJudging} />
      {deployments.problem !== null && <ProblemNotice problem={deployments.problem} onRetry={refresh} />}
      {deployments.value === null && deployments.loading && <div class="skeleton table-skeleton" aria-hidden="true" />}
      {deployments.value !== null && deployments.value.deployments.length === 0 && <EmptyStore />}
      {deployments.value !== null && deployments.value.deployments.length > 0 && changes.length === 0 && (
        <section class="empty">
          <h2>No service has been seen in two versions</h2>
          <p>
            A change is judged once a second version of a service is profiled. Versions come from{' '}
            <code>OTEL_RESOURCE_ATTRIBUTES=service.version=…</code> in the environment of the process, or from the{' '}
            <code>service_version</code> of an upload.
          </p>
        </section>
      )}
      {found.length > 0 && <FindingList changes={found} nowMs={serverNow()} most={5} />}
      {changes.length > 0 && found.length === 0 && !isJudging && (
        <p class="notice">No newest version changed anything that is more than noise.</p>
      )}
      {others.length > 0 && (
        <section aria-labelledby="calm">
          <h2 id="calm">Nothing to see, or not to be judged yet</h2>
          <FindingList changes={others} nowMs={serverNow()} most={5} />
        </section>
      )}
    </div>
  );
}
