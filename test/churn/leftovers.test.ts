import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { type AgentProcess, startAgentProcess } from '../support/agent-process.ts';
import type { Holdings } from '../support/kernel-holdings.ts';
import { type RecordingServer, startRecordingServer } from '../support/recording-server.ts';
import { PlantedPrograms } from '../workloads/planted/build.ts';

const churnS = Number(process.env['EVERFLAME_CHURN_SECONDS'] ?? 60);
const stepMs = 1000;

const programs = new PlantedPrograms();
const dataDir = mkdtempSync(join(tmpdir(), 'everflame-churn-'));
let server: RecordingServer;
beforeAll(async () => {
  server = await startRecordingServer();
});
afterAll(async () => {
  await server.close();
  programs.remove();
  rmSync(dataDir, { recursive: true });
});

/** A hundred short processes a second and four libraries that come and go, until they are ended. */
function startChurn(): ChildProcess[] {
  const storm = programs.c('storm.c', 'churn');
  const libraries = programs.libraries('churned', 4, false);
  const loader = programs.c('libraries.c', 'loader');
  const openssl = '/usr/bin/openssl dgst -sha256 /usr/bin/openssl';
  const commands = ['/bin/ls /', '/bin/gzip -c /etc/services', openssl, '/bin/sh -c :'];
  return [
    spawn(storm, [String(churnS + 60), '100', join(dataDir, 'truth'), ...commands], { stdio: 'ignore' }),
    spawn(loader, [String(churnS + 60), join(dataDir, 'loaded'), ...libraries], { stdio: 'ignore' }),
  ];
}

function exists(kind: 'prog' | 'map', id: number): boolean {
  const listed = execFileSync('bpftool', ['--json', kind, 'show'], { encoding: 'utf8' });
  const rows = JSON.parse(listed) as readonly { readonly id: number }[];
  return rows.some((row) => row.id === id);
}

function pinned(): string[] {
  return existsSync('/sys/fs/bpf') ? readdirSync('/sys/fs/bpf', { recursive: true }).map(String).sort() : [];
}

const middle = (numbers: readonly number[]): number =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;

test('memory, descriptors and maps level off while processes come and go', async () => {
  const agent = await startAgentProcess({ server, dataDir: join(dataDir, 'level'), interval: '2s' });
  const churn = startChurn();
  const seen: Holdings[] = [];
  try {
    for (let step = 0; step < churnS; step++) {
      await sleep(stepMs);
      seen.push(agent.holdings());
    }
  } finally {
    for (const child of churn) child.kill('SIGKILL');
    await agent.end('SIGTERM');
  }
  expect(server.accepted.length).toBeGreaterThan(churnS / 4);
  // Symbols are read and code is compiled in the beginning; from the middle on nothing may grow.
  const third = Math.floor(seen.length / 3);
  const [before, after] = [seen.slice(third, 2 * third), seen.slice(2 * third)];
  const growth = (of: (each: Holdings) => number): number => middle(after.map(of)) - middle(before.map(of));
  expect(middle(before.map((each) => each.rssBytes))).toBeGreaterThan(0);
  expect(growth((each) => each.rssBytes)).toBeLessThan(0.1 * middle(before.map((each) => each.rssBytes)));
  expect(growth((each) => each.descriptors)).toBeLessThan(8);
  expect(growth((each) => each.mapIds.length)).toBeLessThan(8);
  expect(growth((each) => each.mapBytes)).toBeLessThan(1 << 20);
});

test('an agent that is killed leaves nothing in the kernel, and the next one starts where it was', async () => {
  const before = pinned();
  const place = join(dataDir, 'killed');
  const churn = startChurn();
  try {
    for (let round = 0; round < 3; round++) {
      const accepted = server.accepted.length;
      const agent: AgentProcess = await startAgentProcess({ server, dataDir: place, interval: '1s' });
      await server.until(() => server.accepted.length > accepted);
      const { programIds, mapIds } = agent.holdings();
      expect(programIds.length).toBeGreaterThan(0);
      expect(mapIds.length).toBeGreaterThan(0);
      expect(programIds.every((id) => exists('prog', id))).toBe(true);
      await agent.end('SIGKILL');
      // The kernel frees them a little after the last descriptor is closed.
      const left = (): string[] => [
        ...programIds.filter((id) => exists('prog', id)).map((id) => `program ${id}`),
        ...mapIds.filter((id) => exists('map', id)).map((id) => `map ${id}`),
      ];
      await expect.poll(left, { timeout: 20_000, interval: 200 }).toEqual([]);
      expect(pinned()).toEqual(before);
    }
  } finally {
    for (const child of churn) child.kill('SIGKILL');
  }
});
