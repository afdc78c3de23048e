import type { http } from '@everflame/protocols';
import { expect, test } from 'vitest';
import { formatFindings } from './findings-table.ts';

const at = Date.UTC(2026, 0, 2, 3, 4, 5);
const server = new URL('http://127.0.0.1:4099');

function finding(id: number, more: Partial<http.Finding>): http.Finding {
  return {
    id,
    kind: 'deployment',
    state: 'open',
    closedReason: null,
    service: 'shop',
    environment: '',
    before: 'v1',
    after: 'v2',
    function: 'render',
    file: '',
    verdict: 'regressed',
    change: 0.3,
    openedChange: 0.3,
    interval: [0.2, 0.4],
    part: 0.05,
    q: 0.01,
    samplesBefore: 1,
    samplesAfter: 1,
    units: 8,
    stack: [],
    others: 0,
    look: 1,
    sentence: '',
    at,
    openedAt: at,
    updatedAt: at,
    closedAt: null,
    link: `/compare?service=shop&id=${id}`,
    ...more,
  };
}

const watch = { lastPassAt: at, lastPassMs: 5, looks: 12, failed: 0, webhooks: [] };

test('findings are a table with the address of each', () => {
  const findings = [
    finding(2, {}),
    finding(1, {
      environment: 'prod',
      state: 'closed',
      closedReason: 'went_away',
      kind: 'over_time',
      before: null,
      after: null,
      change: null,
      interval: null,
      function: '\u001b[31mred',
      verdict: 'new',
    }),
  ];
  expect(formatFindings({ findings, watch }, server)).toBe(
    `
state      since              service      versions  verdict                      change  function
open       2026-01-02 03:04Z  shop         v1 → v2   regressed  +30.0 % (+20.0 to +40.0)  render
went_away  2026-01-02 03:04Z  shop (prod)            new                   +5.0 % of all  \\x1b[31mred

#2 http://127.0.0.1:4099/compare?service=shop&id=2
#1 http://127.0.0.1:4099/compare?service=shop&id=1

12 looks so far, the last pass at 2026-01-02 03:04Z.`.trim(),
  );
});

test('no findings is said with whether anybody has looked', () => {
  const empty = { findings: [], watch: { ...watch, lastPassAt: null, looks: 0, failed: 2 } };
  expect(formatFindings(empty, server)).toBe(
    "No findings. The server has not looked since it was started.\n2 looks failed: see the server's log.",
  );
});
