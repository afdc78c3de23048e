import type { http } from '@everflame/protocols';
import { formatTable } from './table.ts';

/** Findings as a table, with the address of each comparison; and whether anybody has looked. */
export function formatFindings({ findings, watch }: http.FindingsAnswer, server: URL): string {
  const looked =
    watch.lastPassAt === null
      ? 'The server has not looked since it was started.'
      : `${watch.looks} looks so far, the last pass at ${timeOf(watch.lastPassAt)}.`;
  const troubles = [
    ...(watch.failed > 0 ? [`${watch.failed} looks failed: see the server's log.`] : []),
    ...watch.webhooks
      .filter(({ dropped }) => dropped > 0)
      .map(({ name, dropped }) => `${dropped} events for ${name} were dropped.`),
  ];
  const foot = [looked, ...troubles].join('\n');
  if (findings.length === 0) return `No findings. ${foot}`;
  const table = formatTable(findings, [
    { title: 'state', align: 'left', text: ({ state, closedReason }) => closedReason ?? state },
    { title: 'since', align: 'left', text: ({ at }) => timeOf(at) },
    {
      title: 'service',
      align: 'left',
      text: ({ service, environment }) => (environment === '' ? service : `${service} (${environment})`),
    },
    {
      title: 'versions',
      align: 'left',
      text: ({ before, after }) => (before === null ? '' : `${before} → ${after ?? ''}`),
    },
    { title: 'verdict', align: 'left', text: ({ verdict }) => verdict },
    { title: 'change', align: 'right', text: changeOf },
    { title: 'function', align: 'left', text: (finding) => finding.function || '(the whole service)' },
  ]);
  const links = findings.map(({ id, link }) => `#${id} ${new URL(link, server).href}`);
  return [table, '', ...links, '', foot].join('\n');
}

/** `+30.0 % (+20.1 to +40.2)`; a part of the service for what is on one side only. */
function changeOf({ change, interval, part }: http.Finding): string {
  if (change === null) return part === null ? '' : `${percent(part)} % of all`;
  if (interval === null) return `${percent(change)} %`;
  return `${percent(change)} % (${percent(interval[0])} to ${interval[1] === null ? '∞' : percent(interval[1])})`;
}

function percent(value: number): string {
  return `${value > 0 ? '+' : ''}${(value * 100).toFixed(1)}`;
}

function timeOf(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')}Z`;
}
