/**
 * The shop against itself, and against a version that costs a little more, recorded for real on this machine: `npm run test:aa [-- --minutes 30] [--services 1] [--rate 50]`.
 *
 * A service with five instances of 1.0.0 and five of 1.0.1 (one function of about 5 % costs 10 % more) side by side, every instance in PID, network and mount namespaces
 * of its own, under two agents that ship to a server each: one samples as on any host, one forty times as often, as who wants to see 10 % within minutes has it sample. After some
 * minutes to warm up every whole minute is a window, and /api/v1/compare is asked about every two windows of one version: 2 × 435 comparisons of 30 windows, of which at
 * most 5 % may report a regression. They share windows, so that they are not independent. At the higher frequency 1.0.0 and 1.0.1 are compared over each three windows together: ten times.
 * Two services at half the rate and for half the time give as many comparisons of half the samples.
 * `--all` asks both questions at both frequencies; the exit code is that of these two.
 *
 * `--folder` keeps the recording; a folder that has one is compared again without recording anything, so that a change of the method is judged by the same data.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { http } from '@everflame/protocols';
import { getJson } from '../support/api.ts';
import { type EverflameProcess, repositoryRoot, startEverflame } from '../support/everflame-process.ts';
import { type NamespacedShop, startNamespacedShop } from './shop-run.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    services: { type: 'string', default: '1' },
    rate: { type: 'string', default: '50' },
    'warm-up': { type: 'string', default: '8' },
    folder: { type: 'string' },
    all: { type: 'boolean', default: false },
  },
});
const minutes = wholeNumber('--minutes', values.minutes, 3);
const warmUpMinutes = wholeNumber('--warm-up', values['warm-up'], 1);
/** Of the two agents: what the comparisons of one version are judged by, and what the planted change is. */
const frequencies = [99, 3999] as const;
const services = Array.from({ length: wholeNumber('--services', values.services, 1) }, (_, i) => `shop-${i + 1}`);
const versions = ['1.0.0', '1.0.1'] as const;
/** Of each version of a service. */
const instances = 5;
const planted = 'chooseVouchers';
const minuteMs = 60_000;

const directory = mkdtempSync(join(tmpdir(), 'everflame-aa-'));
const folder = values.folder ?? join(directory, 'recording');
const windowsFile = join(folder, 'windows.json');
mkdirSync(folder, { recursive: true });
try {
  if (!existsSync(windowsFile)) await recordAll();
  const windows = JSON.parse(readFileSync(windowsFile, 'utf8')) as Span[];
  for (const frequency of frequencies) {
    // What a server finds while it is asked must not change what was recorded.
    const copy = join(directory, String(frequency));
    cpSync(dataDirOf(frequency), copy, { recursive: true });
    const everflame = await serve(copy);
    try {
      console.log(`\nsampled at ${frequency} Hz`);
      const isFirst = frequency === frequencies[0];
      if ((isFirst || values.all) && !(await compareWithItself(everflame.url, windows)) && isFirst)
        process.exitCode = 1;
      if ((!isFirst || values.all) && !(await comparePlanted(everflame.url, windows)) && !isFirst) process.exitCode = 1;
    } finally {
      await everflame.end();
    }
  }
} finally {
  rmSync(directory, { recursive: true, force: true });
}

function dataDirOf(frequency: number): string {
  return join(folder, `server-${frequency}`);
}

function wholeNumber(flag: string, text: string, least: number): number {
  const value = Number(text);
  if (!(Number.isInteger(value) && value >= least)) throw new Error(`${flag} is a whole number from ${least}`);
  return value;
}

function serve(dataDir: string): Promise<EverflameProcess> {
  return startEverflame(['server', '--listen', '127.0.0.1:0', '--data-dir', dataDir]);
}

async function recordAll(): Promise<void> {
  const shops: NamespacedShop[] = services.flatMap((service) =>
    versions.flatMap((version) =>
      Array.from({ length: instances }, (_, i) =>
        startNamespacedShop({ service, version, pod: `${service}-${version}-${i}` }, Number(values.rate)),
      ),
    ),
  );
  const recorders: Recorder[] = [];
  try {
    for (const frequency of frequencies) recorders.push(await startRecorder(frequency));
    const firstMs = Math.ceil(Date.now() / minuteMs + warmUpMinutes) * minuteMs;
    const windows: Span[] = Array.from({ length: minutes }, (_, i) => ({
      fromMs: firstMs + i * minuteMs,
      untilMs: firstMs + (i + 1) * minuteMs,
    }));
    await Promise.race([
      sleep(firstMs + minutes * minuteMs - Date.now()),
      ...recorders.map(async ({ agent }) => {
        await once(agent, 'exit');
        throw new Error(`everflame agent ended with ${agent.exitCode}`);
      }),
    ]);
    writeFileSync(windowsFile, JSON.stringify(windows));
  } finally {
    for (const { agent, server } of recorders) {
      const ended = once(agent, 'exit');
      if (agent.kill('SIGTERM')) await ended;
      await server.end();
    }
    await Promise.all(shops.map((shop) => shop.stop()));
  }
}

interface Recorder {
  readonly server: EverflameProcess;
  readonly agent: ChildProcess;
}

async function startRecorder(frequency: number): Promise<Recorder> {
  const server = await serve(dataDirOf(frequency));
  const launcher = join(repositoryRoot, 'scripts/everflame.mjs');
  const flags = ['--server', server.url, '--data-dir', join(folder, `agent-${frequency}`)];
  const agent = spawn(process.execPath, [launcher, 'agent', ...flags, '--frequency', String(frequency)], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return { server, agent };
}

interface Span {
  readonly fromMs: number;
  readonly untilMs: number;
}

function compare(
  server: string,
  service: string,
  [before, after]: readonly [string, string],
  [left, right]: readonly [Span, Span],
): Promise<http.CompareAnswer> {
  return getJson<http.CompareAnswer>(server, '/api/v1/compare', {
    service,
    before,
    after,
    before_from: String(left.fromMs),
    before_until: String(left.untilMs),
    after_from: String(right.fromMs),
    after_until: String(right.untilMs),
  });
}

async function compareWithItself(server: string, windows: readonly Span[]): Promise<boolean> {
  const sums = { comparisons: 0, alarms: 0, whole: 0, functions: 0, intervals: 0, misses: 0 };
  const sides = services.flatMap((each) => versions.map((one) => [each, one] as const));
  for (const [service, version] of sides) {
    for (const [i, before] of windows.entries()) {
      for (const [j, after] of windows.entries()) {
        if (j <= i) continue;
        const answer = await compare(server, service, [version, version], [before, after]);
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
          console.log(
            `${service} ${version}, window ${i + 1} against ${j + 1}: ${answer.sentence} ${names.join(', ')}`,
          );
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

async function comparePlanted(server: string, windows: readonly Span[]): Promise<boolean> {
  let [runs, found, covered] = [0, 0, 0];
  const starts = windows.flatMap((_, i) => (i % 3 === 0 && i + 3 <= windows.length ? [i] : []));
  const pairs = services.flatMap((each) => starts.map((start) => [each, start] as const));
  for (const [service, i] of pairs) {
    const [first, last] = [windows[i], windows[i + 2]];
    if (first === undefined || last === undefined) continue;
    const span = { fromMs: first.fromMs, untilMs: last.untilMs };
    const answer = await compare(server, service, versions, [span, span]);
    const row = answer.functions.find(({ name }) => name === planted);
    if (row === undefined) throw new Error(`${planted} was never seen`);
    runs++;
    if (row.verdict === 'regressed' && answer.functions[0] === row) found++;
    const [low, high] = row.interval ?? [Number.NaN, Number.NaN];
    if (low <= 0.1 && (high ?? Number.POSITIVE_INFINITY) >= 0.1) covered++;
    const percent = (part: number | null): string => (part === null ? '-' : `${(100 * part).toFixed(1)} %`);
    console.log(
      `planted +10 % in ${planted} of ${service}, windows ${i + 1} to ${i + 3}: ${percent(row.before)} of the CPU, ${row.samplesBefore} and ${row.samplesAfter} samples, measured ${percent(row.change)} (${percent(low)} to ${percent(high)}), ${row.verdictText}, would have seen ${percent(row.mde)}`,
    );
  }
  const holds = runs >= 10 && found >= 0.9 * runs;
  console.log(
    `planted +10 %: found and named first in ${found} of ${runs} (at least 9 of 10)${holds ? '' : ' FAILS'}, the interval covers it in ${covered}`,
  );
  return holds;
}
