import type { http } from '@everflame/protocols';
import { useEffect, useMemo } from 'preact/hooks';
import { loadDeployments } from '../data/queries.ts';
import { serverNow } from '../data/server-clock.ts';
import { useQuery } from '../data/use-query.ts';
import { compareHref, cpuType, deploymentsHref, deploymentsState, flamegraphHref } from '../state/page-state.ts';
import { withLabel } from '../state/query-text.ts';
import { navigate } from '../state/router.ts';
import { EmptyStore } from '../views/empty-store.tsx';
import { ago, coresNumber, exact, plural, timeOfDay } from '../views/format.ts';
import { Link } from '../views/link.tsx';
import { ProblemNotice, Progress } from '../views/notices.tsx';
import { useSpan } from '../views/use-span.ts';

type Deployment = http.DeploymentsAnswer['deployments'][number] & { readonly cores?: number | null };

/** Versions of services: when they were live, where, and what each changed. */
export function DeploymentsPage({ search }: { search: string }) {
  const state = useMemo(() => deploymentsState.parse(search), [search]);
  const { refresh, tick } = useSpan('now-1h', 'now');
  const loaded = useQuery(`deployments ${tick}`, async (signal) => loadDeployments(signal));
  useEffect(() => {
    document.title = 'Deployments · Everflame';
  }, []);
  const all: readonly Deployment[] = loaded.value?.deployments ?? [];
  const services = useMemo(() => [...new Set(all.map(({ service }) => service))].toSorted(), [all]);
  const shown = all
    .filter(({ service }) => state.service === '' || service === state.service)
    .toSorted((a, b) => timeOf(b) - timeOf(a));
  const nowMs = serverNow();
  const hasCores = shown.some(({ cores }) => cores !== null);
  return (
    <div class="page">
      <div class="page-head">
        <div>
          <h1>Deployments</h1>
          <p class="lead">
            {loaded.value === null ? ' ' : `${plural(all.length, 'version')} of ${plural(services.length, 'service')}`}
          </p>
        </div>
        <label class="field">
          <span>Service</span>
          <select
            value={state.service}
            onChange={(event) => navigate(deploymentsHref({ service: event.currentTarget.value }))}
          >
            <option value="">all services</option>
            {services.map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </label>
      </div>
      <Progress active={loaded.loading} />
      {loaded.problem !== null && <ProblemNotice problem={loaded.problem} onRetry={refresh} />}
      {loaded.value === null && loaded.loading && <div class="skeleton table-skeleton" aria-hidden="true" />}
      {loaded.value !== null && all.length === 0 && <EmptyStore />}
      {shown.length > 0 && (
        <div class="plain-scroll" tabIndex={0} role="region" aria-label="Deployments">
          <table class="plain">
            <thead>
              <tr>
                <th class="left">Service</th>
                <th class="left">Version</th>
                <th class="left">First seen</th>
                <th class="left">Last seen</th>
                <th class="right">Hosts</th>
                {hasCores && <th class="right">Cores</th>}
                <th class="right">Samples</th>
                <th class="left">Look at</th>
              </tr>
            </thead>
            <tbody>
              {shown.map((one) => {
                const before = previousOf(all, one);
                const selector = withLabel(withLabel('', 'service_name', one.service), 'service_version', one.version);
                return (
                  <tr key={`${one.service} ${one.version} ${one.environment}`}>
                    <td class="left">{one.service === '' ? '(no service name)' : one.service}</td>
                    <td class="left">
                      {one.version === '' ? '(no version)' : one.version}
                      {one.environment !== '' && <span class="tag">{one.environment}</span>}
                      {one.marks.map((mark) => (
                        <span key={mark.at} class="tag" title={`Marked ${timeOfDay(mark.at, nowMs)} ${mark.url}`}>
                          {mark.commit === '' ? 'marked' : mark.commit.slice(0, 12)}
                        </span>
                      ))}
                    </td>
                    <td class="left">{one.firstSeen === null ? 'not yet' : ago(one.firstSeen, nowMs)}</td>
                    <td class="left">{one.lastSeen === null ? '' : ago(one.lastSeen, nowMs)}</td>
                    <td class="right" title={one.hosts.join('\n')}>
                      {one.hosts.length}
                    </td>
                    {hasCores && <td class="right">{one.cores === null ? '' : coresNumber(one.cores)}</td>}
                    <td class="right">{exact(one.samples)}</td>
                    <td class="left">
                      {one.firstSeen !== null && one.lastSeen !== null && (
                        <Link
                          href={flamegraphHref({
                            query: cpuType + selector,
                            from: String(Math.max(Math.floor(one.firstSeen), one.lastSeen - 86_400_000)),
                            until: String(Math.floor(one.lastSeen) + 1000),
                          })}
                        >
                          flame graph
                        </Link>
                      )}
                      {before !== null && (
                        <>
                          {' · '}
                          <Link href={compareHref({ service: one.service, before, after: one.version })}>
                            against {before}
                          </Link>
                        </>
                      )}
                    </td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </div>
      )}
    </div>
  );
}

function timeOf({ firstSeen, marks }: Deployment): number {
  return firstSeen ?? marks[0]?.at ?? 0;
}

/** The version of the same service that was first seen before. */
function previousOf(all: readonly Deployment[], one: Deployment): string | null {
  const earlier = all
    .filter(
      ({ service, version, environment, firstSeen }) =>
        service === one.service &&
        environment === one.environment &&
        version !== one.version &&
        version !== '' &&
        firstSeen !== null &&
        firstSeen < timeOf(one),
    )
    .toSorted((a, b) => timeOf(b) - timeOf(a));
  return one.version === '' || one.firstSeen === null ? null : (earlier[0]?.version ?? null);
}
