import type { http } from '@everflame/protocols';
import { expect, test } from 'vitest';
import { compareParameters, pairsOf, withRanges } from './pairs.ts';

const nowMs = Date.UTC(2026, 0, 5, 12);
const hourMs = 3_600_000;

function row(
  version: string,
  period: Partial<http.DeploymentPeriod>,
  more: Partial<http.Deployment> = {},
): http.Deployment {
  const from = nowMs - hourMs;
  return {
    service: 'shop',
    version,
    environment: '',
    source: 'reported',
    sources: ['reported'],
    firstSeen: from,
    lastSeen: nowMs,
    hosts: [],
    perHost: [],
    instances: 1,
    samples: 1,
    cores: null,
    precedence: 1,
    periods: [{ from, until: nowMs, kind: 'rollout', state: 'live', replaces: 'v1', hosts: [], ...period }],
    marks: [],
    ...more,
  };
}

const drawn = (...deployments: http.Deployment[]) =>
  pairsOf({ deployments }, nowMs).map(
    ({ before, after, untilMs, isCurrent }) => `${before} ${after} until ${(untilMs - nowMs) / hourMs} ${isCurrent}`,
  );

test('each version is compared with the one in whose place its last period came', () => {
  expect(drawn(row('v2', {}))).toEqual(['v1 v2 until 0 true']);
  expect(drawn(row('v1', { kind: 'rollback', replaces: 'v2' }))).toEqual(['v2 v1 until 0 true']);
  const over = { until: nowMs - hourMs / 2 };
  expect(drawn(row('v2', { ...over, state: 'replaced' }))).toEqual(['v1 v2 until -0.5 false']);
  expect(drawn(row('v2', { ...over, state: 'withdrawn' }))).toEqual(['v1 v2 until -0.5 false']);
  // Silent for half an hour: perhaps only its agents are away.
  expect(drawn(row('v2', { ...over, state: 'ended' }))).toEqual(['v1 v2 until -0.5 true']);
  expect(drawn(row('v1', { kind: 'first', replaces: null }))).toEqual([]);
  expect(drawn(row('v2', { from: nowMs - 100 * hourMs }))).toEqual([]);
  expect(drawn({ ...row('v2', {}), periods: [] })).toEqual([]);
});

test('the route is asked for versions; for marks by time; and the page is linked with the same times', () => {
  const [pair] = pairsOf({ deployments: [row('v2', {}, { environment: 'prod' })] }, nowMs);
  const [marked] = pairsOf({ deployments: [row('v2', {}, { firstSeen: null })] }, nowMs);
  if (pair === undefined || marked === undefined) throw new Error('no pair');
  const from = nowMs - hourMs;
  expect(compareParameters(pair, 600_000, 3)).toEqual({
    service: 'shop',
    before: 'v1',
    after: 'v2',
    before_query: '{deployment_environment_name="prod"}',
    after_query: '{deployment_environment_name="prod"}',
    before_from: String(from - 600_000),
    before_until: String(from),
    after_from: String(from),
    after_until: String(from + 600_000),
    look: '3',
  });
  expect(compareParameters(marked, 600_000, 1)).toMatchObject({
    before_query: '{service_name="shop", deployment_environment_name=""}',
    before_until: String(from),
    after_from: String(from),
  });
  expect(compareParameters(marked, 600_000, 1)).not.toHaveProperty('service');
  expect(withRanges(pair.subject.link, compareParameters(pair, 600_000, 1))).toBe(
    '/compare?service=shop&before=v1&after=v2&env=prod&before_from=2026-01-05T10%3A50%3A00.000Z&before_until=2026-01-05T11%3A00%3A00.000Z&after_from=2026-01-05T11%3A00%3A00.000Z&after_until=2026-01-05T11%3A10%3A00.000Z&look=1',
  );
});
