import type { http } from '@everflame/protocols';
import { useEffect, useMemo } from 'preact/hooks';
import { loadFindings } from '../data/queries.ts';
import { serverNow } from '../data/server-clock.ts';
import { useStoreStart } from '../data/store-start.ts';
import { useQuery } from '../data/use-query.ts';
import { useServices } from '../data/use-services.ts';
import { overviewHref, overviewState } from '../state/page-state.ts';
import { navigate } from '../state/router.ts';
import { FindingStrip } from '../views/finding-strip.tsx';
import { CollectionHealth } from '../views/collection-health.tsx';
import { EmptyStore } from '../views/empty-store.tsx';
import { cores, plural } from '../views/format.ts';
import { Notice, ProblemNotice, Progress } from '../views/notices.tsx';
import { RangePicker } from '../views/range-picker.tsx';
import { type ServiceLine, ServiceTable, serviceLines } from '../views/service-table.tsx';
import { useAutoRefresh, useSpan } from '../views/use-span.ts';

/** Services of the range by what they cost, what is wrong with collecting, and the way to everything else. */
export function OverviewPage({ search }: { search: string }) {
  const state = useMemo(() => overviewState.parse(search), [search]);
  const { span, message, refresh, tick } = useSpan(state.from, state.until);
  const { span: covered, status } = useStoreStart(span, state.until, tick);
  const services = useServices(covered, `${state.from} ${state.until}`, tick);
  const findings = useQuery(`findings ${tick}`, async (signal) => loadFindings({ state: 'open', limit: 200 }, signal));
  useAutoRefresh(refresh, state.until, true, services.value?.services.length === 0 ? 3000 : 10_000);
  useEffect(() => {
    document.title = 'Everflame';
  }, []);
  const lines = useMemo(
    () => (services.value === null ? [] : serviceLines(services.value, serverNow())),
    [services.value],
  );
  const isEmpty = services.value !== null && lines.length === 0;
  const isFirstLoad = span !== null && services.value === null && services.problem === null;
  const isEmptyStore = isEmpty && status.value?.storage.profiles === 0;
  return (
    <div class="page">
      <div class="page-head">
        <div>
          <h1>Where the CPU time goes</h1>
          <p class="lead">{leadOf(services.value, lines)}</p>
        </div>
        <RangePicker
          from={state.from}
          until={state.until}
          span={span}
          problem={message}
          onChange={(from, until) => navigate(overviewHref({ ...state, from, until }))}
          onRefresh={refresh}
        />
      </div>
      <Progress active={isFirstLoad} />
      {message !== null && <p class="notice is-problem">{message}</p>}
      {services.problem !== null && <ProblemNotice problem={services.problem} onRetry={refresh} />}
      {status.value?.notices.map((text) => (
        <Notice key={text}>{text}</Notice>
      ))}
      <FindingStrip loaded={findings} />
      {isFirstLoad && <div class="skeleton table-skeleton" aria-hidden="true" />}
      {isEmptyStore && <EmptyStore />}
      {isEmpty && status.value !== null && !isEmptyStore && (
        <section class="empty">
          <h2>Nothing was stored in this range</h2>
          <p>The store has {plural(status.value.storage.profiles, 'profile')} from other times.</p>
          <button
            type="button"
            class="button is-primary"
            onClick={() => navigate(overviewHref({ from: 'now-7d', until: 'now' }))}
          >
            Look at the last 7 days
          </button>
        </section>
      )}
      {services.value !== null && lines.length > 0 && (
        <ServiceTable
          answer={services.value}
          lines={lines}
          isWithoutFunctions={services.isWithoutFunctions && services.problem === null}
          findings={findings.value?.findings ?? []}
          from={state.from}
          until={state.until}
          isWhole={state.show === 'all'}
          onWhole={() => navigate(overviewHref({ ...state, show: 'all' }))}
        />
      )}
      {status.value !== null && !isEmptyStore && (
        <CollectionHealth status={status.value} nowMs={serverNow()} title="Collection" />
      )}
    </div>
  );
}

function leadOf(answer: http.ServicesAnswer | null, lines: readonly ServiceLine[]): string {
  if (answer === null || lines.length === 0) return ' ';
  const now = lines.reduce((sum, line) => sum + (line.now ?? 0), 0);
  const busiest = lines[0];
  const count = plural(lines.length, 'service');
  if (answer.unit !== 'nanoseconds' || busiest === undefined) return count;
  if (lines.every((line) => line.now === null)) return `${count}. Nothing has arrived lately.`;
  return `${count} using ${cores(now)} now. ${busiest.service} costs the most in this range.`;
}
