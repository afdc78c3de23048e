/**
 * Counts by function from the store: 200 hosts × 5,000 functions × two versions side by side × 1 hour, stored for real and
 * then asked by a process of its own. `npm run bench:counts -- [--hosts 200] [--functions 5000] [--seconds 60] [--hits 1000]
 * [--rounds 5] [--keep]`: on each host each version has a profile of so many `hits` every `seconds`. Timings are noisy on a
 * shared machine: read ratios.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { EmbeddedReader, EmbeddedWriter, Maintenance, type Selection } from '@everflame/server/testing';
import { ModelProfiles } from '../load/model-profiles.ts';
import { diskBytes, memoryMb, percentile } from '../load/process-cost.ts';
import { Random } from '../load/random.ts';
import { makeService, standardCode } from '../load/service-model.ts';

const { values: flags } = parseArgs({
  options: {
    hosts: { type: 'string', default: '200' },
    functions: { type: 'string', default: '5000' },
    seconds: { type: 'string', default: '60' },
    hits: { type: 'string', default: '1000' },
    rounds: { type: 'string', default: '5' },
    keep: { type: 'boolean', default: false },
    /** Only asks: the directory of a kept store. */
    ask: { type: 'string' },
  },
});
const hosts = Number(flags.hosts);
const seconds = Number(flags.seconds);
const [minuteMs, hourMs] = [60_000, 3_600_000];
const fromMs = Date.parse('2026-03-02T12:00:00Z');
const versions = ['1.0.0', '1.1.0'];

async function fill(dataDir: string): Promise<void> {
  const shape = { ...standardCode, functions: Number(flags.functions), minStacks: 20_000 };
  const service = new ModelProfiles(makeService(shape, 1, 0, 'checkout'));
  const random = new Random(1);
  const writer = new EmbeddedWriter(dataDir, fromMs);
  const maintenance = new Maintenance(dataDir);
  let profiles = 0;
  let rows = 0;
  const startedAt = performance.now();
  for (let timeMs = fromMs; timeMs < fromMs + hourMs; timeMs += seconds * 1000) {
    const entries = Array.from({ length: hosts * versions.length }, (_, i) => {
      const profile = service.draw(random, Number(flags.hits), timeMs, seconds);
      const version = versions[i % versions.length] ?? '';
      const host = `node-${String(Math.floor(i / versions.length)).padStart(3, '0')}`;
      const labels = { service_name: 'checkout', service_version: version, host_name: host };
      profiles++;
      rows += profile.samples.length;
      return { name: 'process_cpu', labels, profile };
    });
    for (let at = 0; at < entries.length; at += 100) {
      const batch = { batchId: null, entries: entries.slice(at, at + 100), agent: null, receivedMs: timeMs };
      await writer.append([batch]);
    }
    while (maintenance.step(timeMs));
  }
  writer.rotate();
  while (maintenance.step(fromMs + hourMs, true));
  maintenance.close();
  await writer.close();
  const perSample = (diskBytes(join(dataDir, 'blocks')) / rows).toFixed(2);
  const took = ((performance.now() - startedAt) / 1000).toFixed(0);
  console.log(`stored: ${profiles} profiles, ${rows} samples in ${took} s; settled ${perSample} B a sample`);
}

async function ask(dataDir: string): Promise<void> {
  const cpu = { type: 'cpu', unit: 'nanoseconds' };
  const all: Selection = {
    name: 'process_cpu',
    sampleType: cpu,
    periodType: cpu,
    matchers: [{ name: 'service_name', operator: '=', value: 'checkout' }],
    fromMs,
    untilMs: fromMs + hourMs,
  };
  const unaligned = { ...all, fromMs: fromMs + 17_000, untilMs: fromMs + hourMs - 43_000 };
  const scanned: Selection = { ...all, matchers: [...all.matchers, { name: 'thread', operator: '!=', value: 'x' }] };
  const byHost = ['service_version', 'host_name'];
  const questions = [
    { name: 'whole hour by version and host', selection: all, step: Infinity, by: byHost },
    { name: 'by minute and version', selection: all, step: minuteMs, by: ['service_version'] },
    { name: 'an hour that cuts minutes, by version and host', selection: unaligned, step: Infinity, by: byHost },
    { name: 'whole hour by scanning every profile', selection: scanned, step: Infinity, by: byHost },
  ];
  console.log('first / median ms, CPU-ms, ns per function·host, peak RSS of the process so far');
  for (const { name, selection, step, by } of questions) {
    const reader = new EmbeddedReader(dataDir);
    const times: number[] = [];
    let cells = 0;
    let rows = 0;
    const cpuBefore = process.cpuUsage();
    for (let round = 0; round <= Number(flags.rounds); round++) {
      const startedAt = performance.now();
      const answer = await reader.functionCounts(selection, step, by);
      times.push(performance.now() - startedAt);
      rows = answer.rows.length;
      cells = answer.rows.reduce((sum, row) => sum + row.function.length, 0);
    }
    const used = process.cpuUsage(cpuBefore);
    const cpuMs = (used.user + used.system) / 1000 / times.length;
    await reader.close();
    const median = percentile(times.slice(1), 0.5);
    const perCell = ((median * 1e6) / cells).toFixed(0);
    const peak = memoryMb(process.pid).peak.toFixed(0);
    console.log(
      `${name}: ${times[0]?.toFixed(0)} / ${median.toFixed(0)} ms, ${cpuMs.toFixed(0)} CPU-ms, ${rows} rows, ${cells} function·rows, ${perCell} ns each, ${peak} MB`,
    );
  }
}

if (flags.ask === undefined) {
  const dataDir = mkdtempSync(join(tmpdir(), 'everflame-bench-counts-'));
  await fill(dataDir);
  const asking = [fileURLToPath(import.meta.url), '--ask', dataDir, '--rounds', flags.rounds];
  const { status } = spawnSync(process.execPath, asking, { stdio: 'inherit' });
  if (flags.keep) console.log(`kept: ${dataDir}`);
  else rmSync(dataDir, { recursive: true });
  process.exitCode = status ?? 1;
} else await ask(flags.ask);
