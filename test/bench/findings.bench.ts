/**
 * What it costs the server to look for findings by itself: services × hosts, of which each has a new version, and two hours of profiles a minute.
 * `npm run bench:findings -- [--services 100] [--hosts 5] [--functions 400]`. The first pass has everything due: a comparison and a search over time for each
 * service, which otherwise spread over half an hour; the next ones have nothing due.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { http } from '@everflame/protocols';
import { createServer } from '@everflame/server';
import { EmbeddedWriter, Maintenance } from '@everflame/server/testing';
import { ModelProfiles } from '../load/model-profiles.ts';
import { Random } from '../load/random.ts';
import { makeService, standardCode } from '../load/service-model.ts';

const { values: flags } = parseArgs({
  options: {
    services: { type: 'string', default: '100' },
    hosts: { type: 'string', default: '5' },
    functions: { type: 'string', default: '400' },
    minutes: { type: 'string', default: '120' },
  },
});
const [services, hosts, minutes] = [Number(flags.services), Number(flags.hosts), Number(flags.minutes)];
const minuteMs = 60_000;
const untilMs = Math.floor(Date.now() / minuteMs) * minuteMs;

async function fill(dataDir: string): Promise<void> {
  const random = new Random(1);
  const writer = new EmbeddedWriter(dataDir, untilMs);
  const maintenance = new Maintenance(dataDir);
  const shape = { ...standardCode, functions: Number(flags.functions), minStacks: 600 };
  const models = Array.from(
    { length: services },
    (_, i) => new ModelProfiles(makeService(shape, i + 1, 0, `service-${i}`)),
  );
  for (let minute = 0; minute < minutes; minute++) {
    const timeMs = untilMs - (minutes - minute) * minuteMs;
    const entries = models.flatMap((model, i) =>
      Array.from({ length: hosts }, (_, host) => ({
        name: 'process_cpu',
        labels: {
          service_name: `service-${i}`,
          service_version: minute < minutes / 2 ? 'v1' : 'v2',
          host_name: `node-${host}`,
        },
        profile: model.draw(random, 200, timeMs, 60),
      })),
    );
    await writer.append([{ batchId: null, entries, agent: null, receivedMs: timeMs }]);
    while (maintenance.step(timeMs));
  }
  await writer.close();
  maintenance.close();
}

function cpuSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

const dataDir = mkdtempSync(join(tmpdir(), 'everflame-bench-'));
try {
  await fill(dataDir);
  const cpuBefore = process.cpuUsage();
  const server = await createServer({ listen: { host: '127.0.0.1', port: 0 }, dataDir, findingsEveryMs: 100 });
  const watched = async (): Promise<http.FindingsAnswer> =>
    (await (await fetch(`${server.url}/api/v1/findings?state=all`)).json()) as http.FindingsAnswer;
  const passes: number[] = [];
  let cpuMs = 0;
  let lastAt: number | null = null;
  let answer = await watched();
  while (passes.length < 4) {
    answer = await watched();
    const { lastPassAt, lastPassMs } = answer.watch;
    if (lastPassAt !== null && lastPassAt !== lastAt) {
      passes.push(lastPassMs ?? 0);
      if (passes.length === 1) cpuMs = cpuSince(cpuBefore);
    }
    lastAt = lastPassAt;
    await sleep(20);
  }
  const [first = 0, ...next] = passes;
  const idle = next.toSorted((a, b) => a - b)[1] ?? 0;
  console.log(`${services} services x ${hosts} hosts x ${minutes} minutes, ${flags.functions} functions each`);
  console.log(
    `everything due: ${(first / 1000).toFixed(1)} s, ${(first / services).toFixed(0)} ms a service, of CPU with the start ${(cpuMs / services).toFixed(0)} ms; ${answer.watch.looks} looks, ${answer.findings.length} findings, ${answer.watch.failed} failed`,
  );
  console.log(`nothing due: ${idle.toFixed(0)} ms`);
  await server.close();
} finally {
  rmSync(dataDir, { recursive: true });
}
