/**
 * The shop against itself, and against a version that costs a little more, recorded for real on this machine: `npm run test:aa [-- --windows 12]`.
 *
 * Five instances of 1.0.0 and five of 1.0.1 (one function of about 5 % costs 10 % more) run side by side, each in PID, network and mount namespaces of its own.
 * After a minute to warm up `everflame record` records all ten for 60 s, again and again; each window's profile is posted by instance, and /api/v1/compare is
 * asked. Every two windows of one version are compared: 2 × 66 comparisons of 12 windows, of which at most 5 % may report a regression. They
 * share windows, so that they are not independent. Then 1.0.0 and 1.0.1 are compared over three windows together.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { http } from '@everflame/protocols';
import { getJson } from '../support/api.ts';
import { startEverflame } from '../support/everflame-process.ts';
import { postWindow, type RecordedWindow, recordWindow } from './recorded-window.ts';
import { type NamespacedShop, startNamespacedShop } from './shop-run.ts';

const { values } = parseArgs({
  options: { windows: { type: 'string', default: '12' }, rate: { type: 'string', default: '20' } },
});
const windowCount = Number(values.windows);
if (!(Number.isInteger(windowCount) && windowCount >= 3)) throw new Error('--windows is a whole number from 3');
const warmUpMs = 60_000;
const instances = 5;
const planted = 'chooseVouchers';

const directory = mkdtempSync(join(tmpdir(), 'everflame-aa-'));
const everflame = await startEverflame(['server', '--listen', '127.0.0.1:0', '--data-dir', join(directory, 'data')]);
try {
  const windows = await recordAll();
  if (!(await compareWithItself(windows))) process.exitCode = 1;
  await comparePlanted(windows);
} finally {
  await everflame.end();
  rmSync(directory, { recursive: true, force: true });
}

async function recordAll(): Promise<RecordedWindow[]> {
  const shops: NamespacedShop[] = ['1.0.0', '1.0.1'].flatMap((version) =>
    Array.from({ length: instances }, (_, i) =>
      startNamespacedShop(version, `aa-${version}-${i}`, Number(values.rate)),
    ),
  );
  try {
    await sleep(warmUpMs);
    const windows: RecordedWindow[] = [];
    for (let i = 0; i < windowCount; i++) {
      const file = await recordWindow(shops, join(directory, `${i}.pb.gz`));
      const window = await postWindow(everflame.url, shops, file);
      windows.push(window);
      console.log(`window ${i + 1} of ${windowCount}: ${window.samples} samples of ${shops.length} shops`);
    }
    return windows;
  } finally {
    await Promise.all(shops.map((shop) => shop.stop()));
  }
}

type Span = Pick<RecordedWindow, 'fromMs' | 'untilMs'>;

function compare(
  [before, after]: readonly [string, string],
  [left, right]: readonly [Span, Span],
): Promise<http.CompareAnswer> {
  return getJson<http.CompareAnswer>(everflame.url, '/api/v1/compare', {
    service: 'shop',
    before,
    after,
    before_from: String(left.fromMs),
    before_until: String(left.untilMs),
    after_from: String(right.fromMs),
    after_until: String(right.untilMs),
  });
}

async function compareWithItself(windows: readonly RecordedWindow[]): Promise<boolean> {
  const sums = { comparisons: 0, alarms: 0, whole: 0, functions: 0, intervals: 0, misses: 0 };
  for (const version of ['1.0.0', '1.0.1']) {
    for (const [i, before] of windows.entries()) {
      for (const [j, after] of windows.entries()) {
        if (j <= i) continue;
        const answer = await compare([version, version], [before, after]);
        const { counts, verdict, before: side, unitKind } = answer.summary;
        if (unitKind !== 'pod' || side.units !== instances) throw new Error(`units: ${side.units} ${unitKind}`);
        const found = counts.regressed + counts.new;
        sums.comparisons++;
        if (verdict === 'regressed') sums.whole++;
        if (found > 0 || verdict === 'regressed') {
          sums.alarms++;
          const names = answer.functions.slice(0, found).map(({ name, q }) => `${name} (q ${q?.toFixed(4)})`);
          console.log(`${version}, window ${i + 1} against ${j + 1}: ${answer.sentence} ${names.join(', ')}`);
        }
        sums.functions += answer.functions.filter(({ p }) => p !== null).length;
        for (const { interval } of answer.functions) {
          if (interval === null) continue;
          sums.intervals++;
          if (interval[0] > 0 || (interval[1] ?? 1) < 0) sums.misses++;
        }
      }
    }
  }
  const { comparisons, alarms, whole, functions, intervals, misses } = sums;
  const holds = alarms <= 0.05 * comparisons && comparisons >= 40;
  const percent = (part: number): string => `${(100 * part).toFixed(1)} %`;
  console.log(
    `the same version: ${comparisons} comparisons of 60 s, ${instances} namespaces a side, ${Math.round(functions / comparisons)} functions tested in each`,
  );
  console.log(
    `that report a regression: ${alarms}, ${percent(alarms / comparisons)} (at most 5 %)${holds ? '' : ' FAILS'}; of the whole: ${whole}`,
  );
  console.log(`95 % intervals that miss 0: ${percent(misses / intervals)} of ${intervals}`);
  return holds;
}

async function comparePlanted(windows: readonly RecordedWindow[]): Promise<void> {
  let [runs, found, covered] = [0, 0, 0];
  for (let i = 0; i + 3 <= windows.length; i += 3) {
    const [first, last] = [windows[i], windows[i + 2]];
    if (first === undefined || last === undefined) continue;
    const span = { fromMs: first.fromMs, untilMs: last.untilMs };
    const answer = await compare(['1.0.0', '1.0.1'], [span, span]);
    const row = answer.functions.find(({ name }) => name === planted);
    if (row === undefined) throw new Error(`${planted} was never seen`);
    runs++;
    if (row.verdict === 'regressed' && answer.functions[0] === row) found++;
    const [low, high] = row.interval ?? [Number.NaN, Number.NaN];
    if (low <= 0.1 && (high ?? Number.POSITIVE_INFINITY) >= 0.1) covered++;
    const percent = (part: number | null): string => (part === null ? '-' : `${(100 * part).toFixed(1)} %`);
    console.log(
      `planted +10 % in ${planted}, windows ${i + 1} to ${i + 3}: ${percent(row.before)} of the CPU, ${row.samplesBefore} and ${row.samplesAfter} samples, measured ${percent(row.change)} (${percent(low)} to ${percent(high)}), ${row.verdictText}, would have seen ${percent(row.mde)}`,
    );
  }
  console.log(`planted +10 %: found and named first in ${found} of ${runs}, the interval covers it in ${covered}`);
}
