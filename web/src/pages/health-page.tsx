import type { http } from '@everflame/protocols';
import { useEffect, useMemo } from 'preact/hooks';
import { agentCosts } from '../data/agent-costs.ts';
import { loadFlamegraph, loadRange, loadStatus } from '../data/queries.ts';
import { serverNow } from '../data/server-clock.ts';
import { useQuery } from '../data/use-query.ts';
import { cpuType } from '../state/page-state.ts';
import { namingOf } from '../tree/naming.ts';
import { CollectionHealth } from '../views/collection-health.tsx';
import { amount, exact, percent, plural, timeOfDay } from '../views/format.ts';
import { adviceFor } from '../views/loss-advice.ts';
import { Notice, ProblemNotice, Progress } from '../views/notices.tsx';
import { useAutoRefresh, useSpan } from '../views/use-span.ts';

/** As the agent calls itself. */
const agentsQuery = `${cpuType}{service_name="everflame-agent"}`;
const noFilters = { focus: '', ignore: '', hide: '', show_from: '' };

/** Who sends, what was lost and why, and how well stacks and names are. */
export function HealthPage() {
  const { span, refresh, tick } = useSpan('now-15m', 'now');
  const status = useQuery(`status ${tick}`, async (signal) => loadStatus(signal));
  const merged = useQuery('naming', async (signal) =>
    loadFlamegraph(
      {
        query: cpuType,
        span: span ?? { fromMs: 0, untilMs: 1 },
        groupBy: '',
        byLine: false,
        filters: noFilters,
        maxNodes: '',
      },
      signal,
    ),
  );
  const hosts = useQuery(`hosts ${tick}`, async (signal) => {
    const range = span ?? { fromMs: 0, untilMs: 1 };
    const load = async (query: string) => loadRange(query, range, 'host_name', signal);
    const [own, all] = await Promise.all([load(agentsQuery), load(cpuType)]);
    if (!own.ok) return own;
    return all.ok ? { ok: true, value: { own: own.value, all: all.value } } : all;
  });
  useAutoRefresh(refresh, 'now', true, 10_000);
  useEffect(() => {
    document.title = 'Collection · Everflame';
  }, []);
  const naming = useMemo(() => (merged.value === null ? null : namingOf(merged.value.tree)), [merged.value]);
  const costs = useMemo(() => {
    if (status.value === null || hosts.value === null) return undefined;
    return agentCosts(status.value.agents, hosts.value.own, hosts.value.all);
  }, [status.value, hosts.value]);
  const unit = merged.value?.unit ?? 'nanoseconds';
  return (
    <div class="page">
      <h1>Collection</h1>
      <Progress active={status.loading || merged.loading} />
      {status.problem !== null && <ProblemNotice problem={status.problem} onRetry={refresh} />}
      {status.value?.notices.map((text) => (
        <Notice key={text}>{text}</Notice>
      ))}
      {status.value === null && status.loading && <div class="skeleton table-skeleton" aria-hidden="true" />}
      {status.value !== null && (
        <CollectionHealth status={status.value} nowMs={serverNow()} title="Store and agents" costs={costs} />
      )}
      {status.value !== null && <Losses status={status.value} />}
      {status.value !== null && <Stored status={status.value} />}
      {naming !== null && merged.value !== null && merged.value.profiles > 0 && (
        <section aria-labelledby="naming">
          <h2 id="naming">Stacks and names of the last 15 minutes</h2>
          <p>
            <b>{percent(naming.complete)}</b> of the time has its whole stack. Names, by binary:
          </p>
          <div class="plain-scroll" tabIndex={0} role="region" aria-label="Names by binary">
            <table class="plain">
              <thead>
                <tr>
                  <th class="left">Binary</th>
                  <th class="right">{unit === 'nanoseconds' ? 'Time in it' : 'Value'}</th>
                  <th class="right">Named</th>
                  <th class="left">What to do</th>
                </tr>
              </thead>
              <tbody>
                {naming.binaries.slice(0, 30).map(({ binary, value, named }) => (
                  <tr key={binary}>
                    <td class="left mono">{binary === '' ? '(none)' : binary}</td>
                    <td class="right">{amount(value, unit)}</td>
                    <td class="right">{percent(named)}</td>
                    <td class="left hint">
                      {named < 0.95 ? 'Keep its symbol table, or install its debug symbols (-dbgsym, debuginfod).' : ''}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
          {naming.binaries.length > 30 && (
            <p class="hint">and {plural(naming.binaries.length - 30, 'other binary', 'other binaries')}</p>
          )}
        </section>
      )}
      {merged.problem !== null && (
        <p class="hint">How well stacks and names are cannot be told: {merged.problem.detail}</p>
      )}
    </div>
  );
}

function Losses({ status }: { status: http.StatusAnswer }) {
  const rows = status.agents.flatMap(({ hostName, counters }) =>
    counters.filter(({ total }) => total !== '0').map((counter) => ({ hostName, ...counter })),
  );
  return (
    <section aria-labelledby="losses">
      <h2 id="losses">What was lost, and what to do about it</h2>
      {rows.length === 0 ? (
        <p class="hint">Nothing that an agent knows of.</p>
      ) : (
        <div class="plain-scroll" tabIndex={0} role="region" aria-label="Losses">
          <table class="plain">
            <thead>
              <tr>
                <th class="left">Host</th>
                <th class="left">What</th>
                <th class="right">How many</th>
                <th class="left">What to do</th>
              </tr>
            </thead>
            <tbody>
              {rows.map(({ hostName, name, cause, total }) => (
                <tr key={`${hostName} ${name} ${cause}`}>
                  <td class="left">{hostName}</td>
                  <td class="left">
                    {name.replaceAll('_', ' ')}: {cause.replaceAll('_', ' ')}
                  </td>
                  <td class="right">{exact(BigInt(total))}</td>
                  <td class="left hint">{adviceFor(name, cause)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

function Stored({ status }: { status: http.StatusAnswer }) {
  const { deleted, damaged } = status.storage;
  if (deleted.length === 0 && damaged.length === 0) return null;
  return (
    <section aria-labelledby="stored">
      <h2 id="stored">What the store no longer has</h2>
      <ul>
        {deleted.map((one) => (
          <li key={one.cause}>
            {plural(one.profiles, 'profile')}, {amount(one.bytes, 'bytes')}, until {timeOfDay(one.until)}:{' '}
            {one.cause === 'age' ? 'older than profiles are kept' : 'the store had reached its size'}
          </li>
        ))}
        {damaged.map((one) => (
          <li key={one.file}>
            {one.file} is damaged and left out of answers: {one.reason}. Restore it from a backup.
          </li>
        ))}
      </ul>
    </section>
  );
}
