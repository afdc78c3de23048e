import { ProfileBuilder } from '@everflame/profile';
import { http } from '@everflame/protocols';
import { Value } from 'typebox/value';
import { expect, test } from 'vitest';
import { MemoryStorage } from '../storage/memory.ts';
import type { Entry } from '../storage/storage.ts';
import { answerDeployments } from './deployments.ts';

const minuteMs = 60_000;
/** Far from midnight, so that nothing depends on it. */
const startMs = Date.UTC(2026, 0, 5, 12);

/** Half a core on each host: ten seconds of 100 Hz have 500 samples. */
function profileAt(timeMs: number, labels: Readonly<Record<string, string>>): Entry {
  const builder = new ProfileBuilder({
    sampleTypes: [
      { type: 'samples', unit: 'count' },
      { type: 'cpu', unit: 'nanoseconds' },
    ],
    periodType: { type: 'cpu', unit: 'nanoseconds' },
    period: 10_000_000n,
    timeNanos: BigInt(timeMs) * 1_000_000n,
    durationNanos: 10_000_000_000n,
  });
  const location = builder.location({ lines: [{ function: builder.function({ name: 'main' }) }] });
  builder.add(builder.stack(0, location), builder.labelSet([]), [500n, 5_000_000_000n]);
  return { name: 'process_cpu', labels, profile: builder.build() };
}

/** A line a host, a character a minute: a digit is the version; see version-periods.test.ts. Profiles of ten seconds, as an agent sends them. */
async function storageOf(drawing: string, labelsOf: (digit: string) => Record<string, string>): Promise<MemoryStorage> {
  const storage = new MemoryStorage();
  const entries = drawing
    .trim()
    .split('\n')
    .flatMap((line) => {
      const [host_name = '', minutes = ''] = line.trim().split(/\s+/u);
      return minutes
        .split('')
        .flatMap((digit, minute) =>
          digit === '.'
            ? []
            : [0, 1, 2, 3, 4, 5].map((ten) =>
                profileAt(startMs + minute * minuteMs + ten * 10_000, { host_name, ...labelsOf(digit) }),
              ),
        );
    });
  await storage.append([{ batchId: null, entries, agent: null, receivedMs: startMs }]);
  return storage;
}

const shop = (digit: string) => ({ service_name: 'shop', service_version: `v${digit}` });

async function ask(storage: MemoryStorage, minute: number, parameters = {}): Promise<readonly http.Deployment[]> {
  const answer = await answerDeployments(storage, parameters, startMs + minute * minuteMs);
  expect([...Value.Errors(http.DeploymentsAnswer, answer)]).toEqual([]);
  return answer.deployments;
}

const drawn = (rows: readonly http.Deployment[]) =>
  rows.map(
    ({ version, periods, hosts, cores, samples }) =>
      `${version} ${periods.map(({ kind, state, from, until, replaces }) => `${kind} ${state} ${(from - startMs) / minuteMs}-${(until - startMs) / minuteMs} ${replaces ?? '-'}`).join(', ')}; ${hosts.join('')} ${samples} ${cores?.toFixed(2) ?? '-'}`,
  );

test('the newest deployment stands first, with hosts, samples and cores', async () => {
  const storage = await storageOf(
    `a 1111112222222222
     b 111111222222....`,
    shop,
  );
  const rows = await ask(storage, 16);
  expect(drawn(rows)).toEqual(['v2 rollout live 6-16 v1; ab 48000 0.80', 'v1 first replaced 0-6 -; ab 36000 1.00']);
  expect(rows.map(({ precedence, instances, source }) => [precedence, instances, source])).toEqual([
    [2, 2, 'reported'],
    [1, 2, 'reported'],
  ]);
  expect(rows[0]?.perHost.map(({ host, lastSeen }) => [host, (lastSeen - startMs) / minuteMs])).toEqual([
    ['a', 16],
    ['b', 12],
  ]);
});

test('a version that was rolled back to is the newest', async () => {
  const storage = await storageOf('a 111111222222111111', shop);
  expect(drawn(await ask(storage, 18))).toEqual([
    'v1 first replaced 0-6 -, rollback live 12-18 v2; a 36000 0.33',
    'v2 rollout replaced 6-12 v1; a 18000 0.50',
  ]);
});

test('a canary, and hosts that are rolled over', async () => {
  const canary = await storageOf(
    `a 111122222222222222222222
     b 111111111111111111111111`,
    shop,
  );
  expect(drawn(await ask(canary, 24)).map((row) => row.split(';')[0])).toEqual([
    'v2 canary live 4-24 v1',
    'v1 first live 0-24 -',
  ]);
  const rolling = await storageOf(
    `a 111122222222222222222222
     b 111111122222222222222222
     c 111111111111222222222222`,
    shop,
  );
  expect(drawn(await ask(rolling, 24)).map((row) => row.split(';')[0])).toEqual([
    'v2 rolling live 4-24 v1',
    'v1 first replaced 0-12 -',
  ]);
});

test('services and environments are apart; parameters narrow them', async () => {
  const storage = await storageOf(`a 1234`, (digit) => ({
    service_name: Number(digit) < 3 ? 'shop' : 'mail',
    service_version: 'v1',
    ...(digit === '1' || digit === '3' ? { deployment_environment_name: 'prod' } : {}),
    service_version_source: 'build_id',
  }));
  const rows = await ask(storage, 5);
  expect(rows.map(({ service, environment, source }) => [service, environment, source])).toEqual([
    ['mail', '', 'build_id'],
    ['mail', 'prod', 'build_id'],
    ['shop', '', 'build_id'],
    ['shop', 'prod', 'build_id'],
  ]);
  expect(await ask(storage, 5, { service: 'mail', environment: 'prod' })).toHaveLength(1);
});

test('marks: of a version that is seen, of one that is not, and of a service whose profiles carry none', async () => {
  const mark = (version: string, minute: number, service = 'shop') => ({
    service,
    version,
    environment: '',
    atMs: startMs + minute * minuteMs,
    commit: 'c0ffee',
    url: '',
  });
  const storage = await storageOf('a 111111222222', (digit) =>
    digit === '1' ? shop(digit) : { service_name: 'bare' },
  );
  for (const one of [mark('v1', 0), mark('v9', 3), mark('r1', 7, 'bare'), mark('r2', 9, 'bare')])
    await storage.mark(one);
  const rows = await ask(storage, 14);
  expect(drawn(rows).map((row) => row.split(';')[0])).toEqual([
    'r2 rollout live 9-12 r1',
    'r1 first replaced 7-9 -',
    ' ',
    'v9 ',
    'v1 first ended 0-6 -',
  ]);
  expect(rows.at(-1)).toMatchObject({ source: 'mark', sources: ['mark', 'reported'], marks: [{ commit: 'c0ffee' }] });
});

test('semantic versions that began in the same instant stand by precedence', async () => {
  const storage = new MemoryStorage();
  const entries = ['1.9.0', '1.10.0', '1.2.0'].map((version) =>
    profileAt(startMs, { service_name: 'shop', service_version: version, host_name: version }),
  );
  await storage.append([{ batchId: null, entries, agent: null, receivedMs: startMs }]);
  expect((await ask(storage, 1)).map(({ version }) => version)).toEqual(['1.10.0', '1.9.0', '1.2.0']);
});
