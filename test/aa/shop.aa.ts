/**
 * The shop against itself, and against a version that costs a little more, recorded for real on this machine: `npm run test:aa [-- --windows 12]`.
 *
 * Five instances of 1.0.0 and five of 1.0.1 (one function of about 5 % costs 10 % more) run side by side, each in PID, network and mount namespaces of its own.
 * After a minute to warm up `everflame record` records all ten for 60 s, again and again; each window's profile is posted by instance, and /api/v1/compare is
 * asked. Every two windows of one version are compared: 2 × 66 comparisons of 12 windows, of which at most 5 % may report a regression. They
 * share windows, so that they are not independent. Then 1.0.0 and 1.0.1 are compared over three windows together.
 *
 * `--folder` keeps the recordings; a folder that has some is compared again without recording anything, so that a change of the method is judged by the same data, and
 * a recording that still goes on by its windows so far.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { http } from '@everflame/protocols';
import { getJson } from '../support/api.ts';
import { startEverflame } from '../support/everflame-process.ts';
import { postWindow, type RecordedShop, type RecordedWindow, recordWindow, withPid } from './recorded-window.ts';
import { type NamespacedShop, startNamespacedShop } from './shop-run.ts';

const { values } = parseArgs({
  options: {
    windows: { type: 'string', default: '12' },
    rate: { type: 'string', default: '20' },
    seconds: { type: 'string', default: '60' },
    'warm-up': { type: 'string', default: '180' },
    frequency: { type: 'string', default: '99' },
    folder: { type: 'string' },
  },
});
const windowCount = wholeNumber('--windows', values.windows, 3);
const seconds = wholeNumber('--seconds', values.seconds, 10);
const frequencyHz = wholeNumber('--frequency', values.frequency, 1);
const warmUpMs = 1000 * wholeNumber('--warm-up', values['warm-up'], 1);
const instances = 5;
const planted = 'chooseVouchers';

const directory = mkdtempSync(join(tmpdir(), 'everflame-aa-'));
const folder = values.folder ?? join(directory, 'recordings');
const shopsFile = join(folder, 'shops.json');
mkdirSync(folder, { recursive: true });
const everflame = await startEverflame(['server', '--listen', '127.0.0.1:0', '--data-dir', join(directory, 'data')]);
try {
  if (!existsSync(shopsFile)) await recordAll();
  const windows = await postAll();
  if (!(await compareWithItself(windows))) process.exitCode = 1;
  await comparePlanted(windows);
} finally {
  await everflame.end();
  rmSync(directory, { recursive: true, force: true });
}

function wholeNumber(flag: string, text: string, least: number): number {
  const value = Number(text);
  if (!(Number.isInteger(value) && value >= least)) throw new Error(`${flag} is a whole number from ${least}`);
  return value;
}

function fileOf(window: number): string {
  return join(folder, `${window}.pb.gz`);
}

async function recordAll(): Promise<void> {
  const shops: NamespacedShop[] = ['1.0.0', '1.0.1'].flatMap((version) =>
    Array.from({ length: instances }, (_, i) =>
      startNamespacedShop(version, `aa-${version}-${i}`, Number(values.rate)),
    ),
  );
  try {
    await sleep(warmUpMs);
    const recorded = shops.map(withPid);
    // First, so that the windows so far can be judged while further ones are recorded.
    writeFileSync(shopsFile, JSON.stringify(recorded));
    for (let i = 0; i < windowCount; i++) {
      const unfinished = `${fileOf(i)}.unfinished`;
      await recordWindow(recorded, unfinished, seconds, frequencyHz);
      renameSync(unfinished, fileOf(i));
    }
  } finally {
    await Promise.all(shops.map((shop) => shop.stop()));
  }
}

async function postAll(): Promise<RecordedWindow[]> {
  const shops = JSON.parse(readFileSync(shopsFile, 'utf8')) as RecordedShop[];
  const windows: RecordedWindow[] = [];
  for (let i = 0; existsSync(fileOf(i)); i++) {
    const window = await postWindow(everflame.url, shops, fileOf(i));
    windows.push(window);
    const guessed = ((100 * window.guessed) / window.samples).toFixed(2);
    console.log(`window ${i + 1}: ${window.samples} samples of ${shops.length} shops, ${guessed} % guessed`);
  }
  return windows;
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
          const names = answer.functions
            .slice(0, found)
            .map((row) => `${row.name} (q ${row.q?.toFixed(4)}, ${row.samplesBefore} and ${row.samplesAfter} samples)`);
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
    `the same version: ${comparisons} comparisons of ${Math.round(((windows[0]?.untilMs ?? 0) - (windows[0]?.fromMs ?? 0)) / 1000)} s, ${instances} namespaces a side, ${Math.round(functions / comparisons)} functions tested in each`,
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
