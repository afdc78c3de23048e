/**
 * The shop against itself, and against a version that costs a little more, on this machine's real agent and server: `npm run test:aa [-- --minutes 15]`.
 *
 * Five instances of 1.0.0 and five of 1.0.1 (one function of about 5 % costs 10 % more) run side by side, each in namespaces of its own, for some
 * minutes after two to warm up. Windows of 60 s of one version's five instances are compared with each other, neighbours and those two and three apart: with
 * 15 minutes 2 × (14 + 13 + 12) = 78 comparisons, of which at most 5 % may report a regression. Windows share samples, so that they are not independent; each window
 * is in about six. Then 1.0.0 and 1.0.1 are compared over windows of three minutes.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { http } from '@everflame/protocols';
import { getJson } from '../support/api.ts';
import { startEverflame } from '../support/everflame-process.ts';
import { startNamespacedShop } from './shop-run.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '15' },
    rate: { type: 'string', default: '20' },
    /** Only asks: a directory that an earlier run kept, and the start that it printed. */
    ask: { type: 'string' },
    start: { type: 'string' },
    keep: { type: 'boolean', default: false },
  },
});
const minutes = Number(values.minutes);
if (!(Number.isInteger(minutes) && minutes >= 6)) throw new Error('--minutes is a whole number from 6');
const minuteMs = 60_000;
const warmUpMinutes = 2;
const instances = 5;
const planted = 'chooseVouchers';

const directory = values.ask ?? mkdtempSync(join(tmpdir(), 'everflame-aa-'));
const everflame = await startEverflame([
  ...(values.ask === undefined ? ['up'] : ['server']),
  ...['--listen', '127.0.0.1:0', '--data-dir', directory],
]);
try {
  const start = values.ask === undefined ? await record() : Number(values.start);
  if (!(await compareWithItself(start))) process.exitCode = 1;
  await comparePlanted(start);
} finally {
  await everflame.end();
  if (!values.keep && values.ask === undefined) rmSync(directory, { recursive: true, force: true });
}

/** Lets all shops run; answers when their measured time began, Unix ms. */
async function record(): Promise<number> {
  const shops = ['1.0.0', '1.0.1'].flatMap((version) =>
    Array.from({ length: instances }, (_, i) =>
      startNamespacedShop(version, `aa-${version}-${i}`, Number(values.rate)),
    ),
  );
  try {
    const start = Math.ceil(Date.now() / minuteMs + warmUpMinutes) * minuteMs;
    console.log(`${shops.length} shops run until ${new Date(start + minutes * minuteMs).toISOString()}`);
    if (values.keep) console.log(`kept: --ask ${directory} --start ${start} --minutes ${minutes}`);
    // What was sampled last is there two intervals later.
    await sleep(start + minutes * minuteMs + 25_000 - Date.now());
    return start;
  } finally {
    await Promise.all(shops.map((shop) => shop.stop()));
  }
}

function compare(
  [before, after]: readonly [string, string],
  [beforeMs, afterMs]: readonly [number, number],
  spanMs: number,
): Promise<http.CompareAnswer> {
  return getJson<http.CompareAnswer>(everflame.url, '/api/v1/compare', {
    // Another shop may run on this machine.
    query: '{k8s_pod_name=~"aa-.*"}',
    service: 'shop',
    before,
    after,
    before_from: String(beforeMs),
    before_until: String(beforeMs + spanMs),
    after_from: String(afterMs),
    after_until: String(afterMs + spanMs),
  });
}

async function compareWithItself(start: number): Promise<boolean> {
  let comparisons = 0;
  let alarms = 0;
  let whole = 0;
  let functions = 0;
  let misses = 0;
  let tested = 0;
  for (const version of ['1.0.0', '1.0.1']) {
    for (const distance of [1, 2, 3]) {
      for (let i = 0; i + distance < minutes; i++) {
        const at = [start + i * minuteMs, start + (i + distance) * minuteMs] as const;
        const answer = await compare([version, version], at, minuteMs);
        const { counts, verdict, before, unitKind } = answer.summary;
        if (unitKind !== 'pod' || before.units !== instances) throw new Error(`units: ${before.units} ${unitKind}`);
        const found = counts.regressed + counts.new;
        comparisons++;
        if (found > 0) {
          alarms++;
          const names = answer.functions
            .slice(0, found)
            .map((row) => `${row.name} ${row.verdict} q ${row.q?.toFixed(4)}`);
          console.log(`${version} minute ${i} against ${i + distance}: ${names.join('; ')}`);
        }
        if (verdict === 'regressed') whole++;
        functions += answer.functions.filter(({ p }) => p !== null).length;
        const withLimits = answer.functions.filter(({ interval }) => interval !== null);
        tested += withLimits.length;
        misses += withLimits.filter(
          ({ interval }) => interval !== null && (interval[0] > 0 || (interval[1] ?? 1) < 0),
        ).length;
      }
    }
  }
  const holds = alarms <= 0.05 * comparisons && comparisons >= 40;
  console.log(
    `the same version: ${comparisons} comparisons of 60 s, ${instances} namespaces each, ${Math.round(functions / comparisons)} functions tested in each`,
  );
  console.log(
    `report a regression or a new function: ${alarms} (${((100 * alarms) / comparisons).toFixed(1)} %, at most 5 %)${holds ? '' : ' FAILS'}`,
  );
  console.log(
    `call the whole regressed: ${whole}; 95 % intervals that miss 0: ${((100 * misses) / tested).toFixed(1)} % of ${tested}`,
  );
  return holds;
}

async function comparePlanted(start: number): Promise<void> {
  let found = 0;
  let covered = 0;
  let runs = 0;
  for (let i = 0; i + 3 <= minutes; i += 3) {
    const at = start + i * minuteMs;
    const answer = await compare(['1.0.0', '1.0.1'], [at, at], 3 * minuteMs);
    const row = answer.functions.find(({ name }) => name === planted);
    if (row === undefined) throw new Error(`${planted} was never seen`);
    runs++;
    if (row.verdict === 'regressed') found++;
    const [low, high] = row.interval ?? [Number.NaN, Number.NaN];
    if (low <= 0.1 && (high ?? Number.POSITIVE_INFINITY) >= 0.1) covered++;
    const percent = (part: number | null): string => (part === null ? '-' : `${(100 * part).toFixed(1)} %`);
    console.log(
      `planted +10 % in ${planted}, minutes ${i} to ${i + 3}: share ${percent(row.before)}, ${row.samplesBefore} and ${row.samplesAfter} samples, measured ${percent(row.change)} (${percent(low)} to ${percent(high)}), ${row.verdictText}, would have seen ${percent(row.mde)}`,
    );
  }
  console.log(`planted +10 %: found in ${found} of ${runs}, the interval covers it in ${covered}`);
}
