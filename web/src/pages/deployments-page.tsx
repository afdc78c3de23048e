import type { http } from '@everflame/protocols';
import { useEffect, useMemo } from 'preact/hooks';
import { loadDeployments, loadFindings } from '../data/queries.ts';
import { serverNow } from '../data/server-clock.ts';
import { useQuery } from '../data/use-query.ts';
import {
  compareHref,
  cpuType,
  deploymentsHref,
  deploymentsState,
  findingsHref,
  flamegraphHref,
} from '../state/page-state.ts';
import { withLabel } from '../state/query-text.ts';
import { navigate } from '../state/router.ts';
import { EmptyStore } from '../views/empty-store.tsx';
import { ago, coresNumber, exact, plural, timeOfDay } from '../views/format.ts';
import { Link } from '../views/link.tsx';
import { ProblemNotice, Progress } from '../views/notices.tsx';
import { useSpan } from '../views/use-span.ts';
import { VersionPeriods } from '../views/version-periods.tsx';
import { versionSourceTexts } from '../views/version-source.ts';

type Deployment = http.Deployment;

/** Versions of services: when they were live, where, and what each changed. */
export function DeploymentsPage({ search }: { search: string }) {
  const state = useMemo(() => deploymentsState.parse(search), [search]);
  const { refresh, tick } = useSpan('now-1h', 'now');
  const loaded = useQuery(`deployments ${tick}`, async (signal) => loadDeployments(signal));
  useEffect(() => {
    document.title = 'Deployments · Everflame';
  }, []);
  const findings = useQuery(`findings ${tick}`, async (signal) => loadFindings({ state: 'open', limit: 1000 }, signal));
  const all: readonly Deployment[] = loaded.value?.deployments ?? [];
  const services = useMemo(() => [...new Set(all.map(({ service }) => service))].toSorted(), [all]);
  const shown = all.filter(({ service }) => state.service === '' || service === state.service);
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
                <th class="left">What happened</th>
                <th class="left">Read from</th>
                <th class="left">Last seen</th>
                <th class="right">Hosts</th>
                {hasCores && <th class="right">Cores</th>}
                <th class="right">Samples</th>
                <th class="left">Look at</th>
              </tr>
            </thead>
            <tbody>
              {shown.map((one) => {
                const before = one.periods.findLast(({ replaces }) => replaces !== null)?.replaces ?? null;
                const found = findings.value?.findings.filter((finding) => isAbout(finding, one)) ?? [];
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
                    <td class="left periods-cell">
                      {one.periods.length === 0 ? (
                        <>{one.firstSeen === null ? 'marked, not seen yet' : 'no version is known'}</>
                      ) : (
                        <VersionPeriods periods={one.periods} nowMs={nowMs} />
                      )}
                    </td>
                    <td
                      class="left"
                      title={one.sources.map((source) => `${source}: ${versionSourceTexts[source]}`).join('\n')}
                    >
                      {one.source}
                      {one.sources.length > 1 && <span class="hint"> +{one.sources.length - 1}</span>}
                    </td>
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
                      {before !== null && before !== '' && one.version !== '' && (
                        <>
                          {' · '}
                          <Link
                            href={compareHref({
                              service: one.service,
                              env: one.environment,
                              before,
                              after: one.version,
                            })}
                          >
                            against {before}
                          </Link>
                        </>
                      )}
                      {found[0] !== undefined && (
                        <>
                          {' · '}
                          <Link
                            href={found.length === 1 ? found[0].link : findingsHref({ service: one.service })}
                            title={found.map(({ sentence }) => sentence).join('\n')}
                          >
                            {plural(found.length, 'finding')}
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

function isAbout(finding: http.Finding, { service, environment, version }: Deployment): boolean {
  return finding.service === service && finding.environment === environment && finding.after === version;
}
