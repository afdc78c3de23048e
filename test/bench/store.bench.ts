/**
 * Cost and speed of the store: a server in a process of its own takes in the standard load and is asked the standard
 * questions; the peers' figures stand beside. `npm run bench:store -- [--profiles 8000] [--route profiles|write]
 * [--in-flight 16] [--seed 1] [--rounds 20] [--growth] [--keep]`. `--growth` goes on with ten times as many profiles in 24
 * hours and thirty times as many in 30 days. Timings are noisy on a shared machine: read ratios.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { TREE_MEDIA_TYPE } from '@everflame/profile';
import { type ServerProcess, startServerProcess } from '../e2e/server-process.ts';
import { timedGet, timedPost } from '../load/curl.ts';
import { goMerge } from '../load/go-pprof.ts';
import { gzipBomb } from '../load/gzip-bomb.ts';
import { ingestPhases } from '../load/ingest-phases.ts';
import { LoadSource, standardFleet } from '../load/load-source.ts';
import { cpuMs, diskBytes, memoryMb, percentile, resetPeak } from '../load/process-cost.ts';
import { type SendOptions, sendLoad } from '../load/send-load.ts';
import { figures, printFigure, printHead } from '../load/store-figures.ts';

const { values: flags } = parseArgs({
  options: {
    profiles: { type: 'string', default: '8000' },
    route: { type: 'string', default: 'profiles' },
    'in-flight': { type: 'string', default: '16' },
    seed: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '20' },
    growth: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
  },
});
const profiles = Number(flags.profiles);
const rounds = Number(flags.rounds);
const hourMs = 3_600_000;
const untilMs = Math.floor(Date.now() / hourMs) * hourMs;
const workDir = mkdtempSync(join(tmpdir(), 'everflame-bench-store-'));
const one = 'process_cpu:cpu:nanoseconds:cpu:nanoseconds{service_name="checkout"}';
const all = 'process_cpu:cpu:nanoseconds:cpu:nanoseconds{}';
const route: SendOptions['route'] = flags.route === 'write' ? 'write' : 'profiles';

interface Set {
  readonly name: string;
  readonly source: LoadSource;
  readonly spanMs: number;
}

function makeSet(name: string, count: number, days: number): Set {
  const spanMs = days * 24 * hourMs;
  const shape = { ...standardFleet, seed: Number(flags.seed), profiles: count, spanMs, untilMs };
  return { name, source: new LoadSource(shape), spanMs };
}

/** CPU-ms of google/pprof for one profile when it merges 1,000 of them (all, when there are fewer). */
async function referenceCost({ source }: Set): Promise<number> {
  const dir = join(workDir, 'reference');
  mkdirSync(dir);
  const count = Math.min(1000, source.length);
  const files: string[] = [];
  for (let i = 0; i < count; i++) {
    const at = Math.floor((i * source.length) / count);
    const file = join(dir, `${i}.pb.gz`);
    writeFileSync(file, gzipSync(source.profile(at).bytes));
    files.push(file);
  }
  // The first run may build the tool.
  await goMerge(files.slice(0, 1), join(dir, 'merged.pb.gz'), dir);
  const milliseconds = await goMerge(files, join(dir, 'merged.pb.gz'), dir);
  rmSync(dir, { recursive: true });
  return milliseconds / count;
}

/** So long after the last profile blocks that a later one could have joined are merged. */
const quietMs = 65_000;

/** Until the server has nothing left to do: so long in a row with less than 2 % of a CPU, at most three minutes. */
async function settle(server: ServerProcess): Promise<void> {
  let quiet = 0;
  for (let i = 0; i < 180 && quiet < quietMs / 1000; i++) {
    const before = cpuMs(server.pid);
    await sleep(1000);
    quiet = cpuMs(server.pid) - before <= 20 ? quiet + 1 : 0;
  }
}

async function ingest(server: ServerProcess, dataDir: string, { source }: Set, reference: number): Promise<void> {
  const options = { server: server.url, route };
  const idleCount = Math.min(60, Math.floor(source.length / 10));
  const started = cpuMs(server.pid);
  const idle = await sendLoad(source, 0, idleCount, { ...options, inFlight: 1, pauseMs: 50 });
  resetPeak(server.pid);
  const loadStarted = cpuMs(server.pid);
  const loaded = await sendLoad(source, idleCount, source.length, { ...options, inFlight: Number(flags['in-flight']) });
  const sendCost = (cpuMs(server.pid) - loadStarted) / loaded.profiles;
  const staging = diskBytes(dataDir);
  const { peak } = memoryMb(server.pid);
  await settle(server);
  const rows = idle.rows + loaded.rows;
  const cost = (cpuMs(server.pid) - started) / source.length;
  const acks = (ackMs: readonly number[]) =>
    `${percentile(ackMs, 0.5).toFixed(1)} / ${percentile(ackMs, 0.99).toFixed(1)}`;
  const kb = (idle.bodyBytes + loaded.bodyBytes) / source.length / 1e3;
  console.log(
    `${source.length} profiles, ${rows} samples, ${kb.toFixed(0)} kB a body, ${loaded.refused} times 429, peak RSS of all until settled ${memoryMb(server.pid).peak.toFixed(0)} MB`,
  );
  printHead();
  printFigure(figures.ingestCpu, cost.toFixed(2));
  printFigure(figures.ingestRatio, (cost / reference).toFixed(2));
  printFigure(figures.sendCpu, sendCost.toFixed(2));
  printFigure(figures.rate, (loaded.profiles / (loaded.elapsedMs / 1e3)).toFixed(0));
  printFigure(figures.ackIdle, acks(idle.ackMs));
  printFigure(figures.ackLoaded, acks(loaded.ackMs));
  printFigure(figures.peakRss, peak.toFixed(0));
  printFigure(figures.diskStaging, (staging / rows).toFixed(1));
  printFigure(figures.diskSettled, (diskBytes(dataDir) / rows).toFixed(2));
}

interface Asked {
  /** `median (median of the first five after the first; the first)` ms. */
  readonly text: string;
  readonly medianMs: number;
}

/** Asks the same several times, one after the other. */
async function ask(
  server: ServerProcess,
  path: string,
  parameters: Readonly<Record<string, string>>,
  accept = 'application/json',
): Promise<Asked> {
  const url = `${server.url}/api/v1/${path}?${new URLSearchParams(parameters).toString()}`;
  const times: number[] = [];
  for (let round = 0; round <= rounds; round++) times.push(await timedGet(url, accept));
  const medianMs = percentile(times.slice(1), 0.5);
  const earlyMs = percentile(times.slice(1, 6), 0.5);
  return { text: `${medianMs.toFixed(1)} (${earlyMs.toFixed(1)}; ${(times[0] ?? 0).toFixed(1)})`, medianMs };
}

async function askAll(server: ServerProcess, { spanMs }: Set): Promise<void> {
  const range = (hours: number) => ({ from: String(untilMs - hours * hourMs), until: String(untilMs) });
  resetPeak(server.pid);
  const whole = { from: String(untilMs - spanMs), until: String(untilMs) };
  // Whole, as columns: what the page reads.
  const columns = async (query: string, hours: number, more = {}) =>
    ask(server, 'flamegraph', { query, ...range(hours), ...more }, TREE_MEDIA_TYPE);
  const json = async (query: string, hours: number) => ask(server, 'flamegraph', { query, ...range(hours) });
  console.log(
    `answers: median of ${rounds} (of the first five of them, before V8 has compiled all; the one before) in ms`,
  );
  printFigure(figures.flame15m, (await columns(one, 0.25)).text);
  printFigure(figures.flame6h, (await columns(one, 6)).text);
  const day = await columns(one, 24);
  printFigure(figures.flame24h, day.text);
  printFigure(figures.flame15mJson, (await json(one, 0.25)).text);
  printFigure(figures.flame6hJson, (await json(one, 6)).text);
  printFigure(figures.flame24hJson, (await json(one, 24)).text);
  printFigure(figures.flameAllView, (await columns(all, 24, { max_nodes: '5000' })).text);
  printFigure(figures.flameAll, (await columns(all, 24)).text);
  printFigure(figures.flameAllJson, (await json(all, 24)).text);
  printFigure(figures.top24h, (await ask(server, 'top', { query: one, ...range(24) })).text);
  printFigure(figures.pprofOne, (await ask(server, 'pprof', { query: one, ...range(24) })).text);
  printFigure(figures.pprofAll, (await ask(server, 'pprof', { query: all, ...range(24) })).text);
  const sides = {
    query: one,
    before_from: String(untilMs - 18 * hourMs),
    before_until: String(untilMs - 12 * hourMs),
    after_from: String(untilMs - 6 * hourMs),
    after_until: String(untilMs),
  };
  printFigure(figures.diff, (await ask(server, 'diff', sides)).text);
  printFigure(figures.labels, (await ask(server, 'labels', range(24))).text);
  printFigure(figures.series, (await ask(server, 'series', { query: one, ...range(24) })).text);
  printFigure(
    figures.queryRange,
    (await ask(server, 'query_range', { query: all, by: 'service_name', ...range(24) })).text,
  );
  if (spanMs > 24 * hourMs) {
    const month = await ask(server, 'flamegraph', { query: one, ...whole }, TREE_MEDIA_TYPE);
    printFigure(figures.thirtyDays, `${(month.medianMs / day.medianMs).toFixed(2)} (${month.text} ms)`);
  }
  printFigure(figures.queryRss, memoryMb(server.pid).peak.toFixed(0));
}

/** How long after its acknowledgement a profile is in an answer. */
async function visibleAfter(server: ServerProcess): Promise<number> {
  const source = new LoadSource({
    ...standardFleet,
    services: 1,
    profiles: 1,
    untilMs: Date.now() + 24 * hourMs,
    seed: 99,
  });
  const body = gzipSync(source.profile(0).bytes);
  const url = `${server.url}/api/v1/profiles?service_name=visible`;
  const response = await fetch(url, { method: 'POST', body, headers: { 'content-encoding': 'gzip' } });
  if (response.status !== 202) throw new Error(`${url} answered ${response.status}`);
  const acknowledgedAt = performance.now();
  const query = new URLSearchParams({ query: '{service_name="visible"}', from: 'now-1h', until: 'now+1h' });
  for (;;) {
    const answer = await fetch(`${server.url}/api/v1/series?${query.toString()}`);
    const { series } = (await answer.json()) as { series: unknown[] };
    if (series.length > 0) return performance.now() - acknowledgedAt;
    if (performance.now() - acknowledgedAt > 10_000) throw new Error('a stored profile stays invisible');
  }
}

async function bomb(server: ServerProcess): Promise<string> {
  const path = join(workDir, 'bomb.gz');
  writeFileSync(path, gzipBomb(10_000));
  resetPeak(server.pid);
  const before = memoryMb(server.pid).now;
  const { status, milliseconds } = await timedPost(`${server.url}/api/v1/profiles?service_name=bomb`, path);
  return `${status} in ${milliseconds.toFixed(0)}; ${(memoryMb(server.pid).peak - before).toFixed(0)}`;
}

async function measure(set: Set, reference: number): Promise<void> {
  console.log(`\n${set.name}`);
  const dataDir = join(workDir, `data-${set.source.length}-${set.spanMs}`);
  let server = await startServerProcess(dataDir);
  await ingest(server, dataDir, set, reference);
  await askAll(server, set);
  printFigure(figures.visible, (await visibleAfter(server)).toFixed(1));
  printFigure(figures.bomb, await bomb(server));
  let startedAt = performance.now();
  await server.end('SIGTERM');
  printFigure(figures.stop, ((performance.now() - startedAt) / 1e3).toFixed(2));
  startedAt = performance.now();
  server = await startServerProcess(dataDir);
  printFigure(figures.ready, ((performance.now() - startedAt) / 1e3).toFixed(2));
  await sleep(10_000);
  const idleStarted = cpuMs(server.pid);
  await sleep(10_000);
  printFigure(figures.idleCpu, ((cpuMs(server.pid) - idleStarted) / 10).toFixed(1));
  printFigure(figures.idleRss, memoryMb(server.pid).now.toFixed(0));
  await server.end('SIGTERM');
  if (!flags.keep) rmSync(dataDir, { recursive: true });
}

const load = readFileSync('/proc/loadavg', 'utf8').split(' ')[0];
console.log(`Node.js ${process.version}, ${cpus()[0]?.model ?? 'unknown CPU'} × ${cpus().length}, load ${load}`);
const standard = makeSet(
  `standard set: ${profiles} profiles in 24 h, posted to /api/v1/${route}, ${flags['in-flight']} at once`,
  profiles,
  1,
);
const reference = await referenceCost(standard);
console.log(`reference: pprof -proto takes ${reference.toFixed(2)} CPU-ms a profile`);
const phases = Object.entries(await ingestPhases(standard.source, Math.min(1000, profiles)));
const phaseTexts = phases.map(([name, milliseconds]) => `${name} ${milliseconds.toFixed(2)}`);
console.log(`parts of ingest by themselves, CPU-ms a profile of one thread: ${phaseTexts.join(', ')}`);
await measure(standard, reference);
if (flags.growth) {
  await measure(makeSet(`growth: ${profiles * 10} profiles in 24 h`, profiles * 10, 1), reference);
  await measure(makeSet(`growth: ${profiles * 30} profiles in 30 days`, profiles * 30, 30), reference);
}
if (flags.keep) console.log(`kept: ${workDir}`);
else rmSync(workDir, { recursive: true });
