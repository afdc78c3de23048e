import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { http } from '@everflame/protocols';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Refused } from '../problem.ts';
import { type Candidate, functionKey, type Look } from './candidates.ts';
import { FindingsStore } from './findings-store.ts';
import type { FindingEvent } from './reconcile.ts';
import { Watch } from './watch.ts';

const minuteMs = 60_000;
const startMs = Date.UTC(2026, 0, 5, 12);
let dataDir = '';
let store: FindingsStore;
let events: string[] = [];
let asked: string[] = [];
let logged: string[] = [];
/** What the next looks show: functions with their change. */
let shown: Record<string, number> = {};
let isRefused = false;
let failing = '';
let deployments: http.Deployment[] = [];

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'everflame-watch-'));
  store = new FindingsStore(dataDir);
  [events, asked, logged, shown, isRefused, failing] = [[], [], [], {}, false, ''];
  deployments = [row('v2', [{ kind: 'rollout', state: 'live', replaces: 'v1' }])];
});
afterEach(() => {
  store.close();
  rmSync(dataDir, { recursive: true });
});

function row(version: string, periods: Partial<http.DeploymentPeriod>[]): http.Deployment {
  return {
    service: 'shop',
    version,
    environment: '',
    source: 'reported',
    sources: ['reported'],
    firstSeen: startMs,
    lastSeen: startMs,
    hosts: [],
    perHost: [],
    instances: 1,
    samples: 1,
    cores: null,
    precedence: 1,
    periods: periods.map((period) => ({
      from: startMs,
      until: startMs,
      kind: 'first',
      state: 'live',
      replaces: null,
      hosts: [],
      ...period,
    })),
    marks: [],
  };
}

function candidateOf(name: string, change: number): Candidate {
  return {
    function: name,
    file: 'a.ts',
    verdict: change > 0 ? 'regressed' : 'improved',
    change,
    interval: [change - 0.05, change + 0.05],
    part: change / 10,
    q: 0.01,
    samplesBefore: 100,
    samplesAfter: 100,
    units: 8,
    stack: ['main', name],
    others: 0,
    sentence: `${name} changed`,
  };
}

/** Functions that changed by a tenth or more are found; others that are asked for stand where they stand. */
function lookAt(functions: readonly (readonly [string, string])[]): Look {
  const all = Object.entries(shown);
  const standing = (change: number) => ({
    change,
    interval: null,
    q: 0.5,
    samplesBefore: 1,
    samplesAfter: 1,
    isMoved: false,
  });
  return {
    candidates: all.flatMap(([name, change]) => (Math.abs(change) >= 0.1 ? [candidateOf(name, change)] : [])),
    asked: Object.fromEntries(
      functions.flatMap(([name, file]) => {
        const change = shown[name];
        return change === undefined ? [] : [[functionKey(name, file), standing(change)]];
      }),
    ),
    more: 0,
  };
}

function watch(): Watch {
  return new Watch({
    store,
    notify: (all: readonly FindingEvent[]) =>
      void events.push(
        ...all.map(({ event, finding }) => `${event} ${finding.function} ${finding.closedReason ?? ''}`.trim()),
      ),
    log: (line) => void logged.push(line),
    questions: {
      deployments: () => Promise.resolve({ deployments }),
      look: (service, [before, after], compare, functions) => {
        if (isRefused) return Promise.reject(new Refused(422, 'no_samples', 'none'));
        if (service === failing) return Promise.reject(new Error('out of order'));
        const minute = (name: string) => (Number(compare[name]) - startMs) / minuteMs;
        asked.push(
          `${service} ${before} ${minute('before_from')}..${minute('before_until')} ${after} ${minute('after_from')}..${minute('after_until')} look ${compare['look']}`,
        );
        return Promise.resolve(lookAt(functions));
      },
      overTime: () => Promise.resolve({ candidates: [], asked: {}, more: 0 }),
    },
  });
}

async function passAt(minute: number): Promise<void> {
  await watch().pass(startMs + minute * minuteMs);
}

const drawn = (state: 'open' | 'all' = 'open') =>
  store
    .list({ state, limit: 10 })
    .map((one) => `${one.state} ${one.function} ${one.change?.toFixed(2)} look ${one.look}`)
    .sort();

test('looks are made at doubling times, each once, also by a server that was restarted', async () => {
  for (let minute = 0; minute <= 45; minute++) {
    await passAt(minute);
    if (minute === 12) {
      store.close();
      store = new FindingsStore(dataDir);
    }
  }
  expect(asked).toEqual([
    'shop v1 -5..0 v2 0..5 look 1',
    'shop v1 -10..0 v2 0..10 look 2',
    'shop v1 -20..0 v2 0..20 look 3',
    'shop v1 -40..0 v2 0..40 look 4',
  ]);
});

test('who was away makes the look that is due now, and pays for one', async () => {
  await passAt(5);
  await passAt(130);
  expect(asked.at(-1)).toBe('shop v1 -80..0 v2 0..80 look 2');
});

test('a look that has no samples yet is none, and is made again', async () => {
  isRefused = true;
  await passAt(6);
  isRefused = false;
  await passAt(7);
  expect(asked).toEqual(['shop v1 -5..0 v2 0..5 look 1']);
  expect(logged).toEqual([]);
});

test('a finding opens once, follows its estimate, closes when less than half is left, and opens again', async () => {
  shown = { render: 0.3, price: 0.2 };
  await passAt(5);
  expect(drawn()).toEqual(['open price 0.20 look 1', 'open render 0.30 look 1']);
  expect(events).toEqual(['opened render', 'opened price']);
  // No longer significant, but still most of it: it stays.
  shown = { render: 0.25, price: 0.09 };
  await passAt(10);
  expect(drawn()).toEqual(['open render 0.25 look 2']);
  shown = { render: 0.4, price: -0.01 };
  await passAt(20);
  shown = { render: -0.2 };
  await passAt(40);
  expect(events.slice(2)).toEqual(['closed price went_away', 'opened render', 'closed render went_away']);
  shown = { render: 0.3 };
  await passAt(80);
  expect(events.slice(5)).toEqual(['reopened render', 'closed render went_away']);
  expect(store.list({ state: 'all', limit: 10 })).toHaveLength(3);
});

test('what no longer runs is closed', async () => {
  shown = { render: 0.3 };
  await passAt(5);
  deployments = [
    row('v3', [{ kind: 'rollout', state: 'live', replaces: 'v2', from: startMs + 6 * minuteMs }]),
    row('v2', [{ kind: 'rollout', state: 'replaced', replaces: 'v1', until: startMs + 6 * minuteMs }]),
  ];
  await passAt(7);
  expect(events).toEqual(['opened render', 'closed render replaced']);
  const [finding] = store.list({ state: 'closed', limit: 10 });
  expect(finding?.link).toMatch(/^\/compare\?service=shop&before=v1&after=v2&before_from=2026-01-05T11%3A55%3A00.000Z/);
});

test('one service that fails does not keep the others from being looked at', async () => {
  deployments = [
    ...deployments,
    { ...row('v9', [{ kind: 'rollout', state: 'live', replaces: 'v8' }]), service: 'mail' },
  ];
  failing = 'mail';
  deployments.reverse();
  shown = { render: 0.3 };
  await passAt(5);
  expect(asked.map((line) => line.split(' ')[0])).toEqual(['shop']);
  expect(logged).toEqual(['a look at mail v9 failed: Error: out of order']);
});
