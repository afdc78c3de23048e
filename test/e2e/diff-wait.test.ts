import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { postRelease } from '../support/drawn-release.ts';
import { repositoryRoot } from '../support/everflame-process.ts';
import { type ServerProcess, startServerProcess } from './server-process.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'everflame-diff-wait-'));
let server: ServerProcess;
beforeAll(async () => {
  server = await startServerProcess(dataDir);
});
afterAll(async () => {
  await server.end('SIGTERM');
  rmSync(dataDir, { recursive: true });
});

interface Waiting {
  /** What it said for people so far. */
  readonly said: () => string;
  readonly status: Promise<number | null>;
}

function diff(service: string, wait: string): Waiting {
  const main = join(repositoryRoot, 'packages/cli/src/main.ts');
  const versions = ['--before', '1.0.0', '--after', '1.1.0'];
  const args = ['diff', '--server', server.url, '--service', service, ...versions, '--wait', wait];
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  return { said: () => said, status: once(child, 'close').then(([code]) => code as number | null) };
}

test('a pipeline that asks before the deployment has samples waits for them, and ends with the verdict', async () => {
  await postRelease(server.url, { service: 'early', hosts: 8, updated: 0, minutes: 10 });
  const waiting = diff('early', '10m');
  await expect.poll(waiting.said, { timeout: 60_000 }).toContain('waiting for samples');
  await postRelease(server.url, { service: 'early', hosts: 8, updated: 8, minutes: 10 });
  expect(await waiting.status, `it said ${waiting.said()}`).toBe(1);
}, 120_000);

test('a deployment that never has samples is no regression and no success once the time is over', async () => {
  await postRelease(server.url, { service: 'never', hosts: 8, updated: 0, minutes: 2 });
  const waiting = diff('never', '1s');
  expect(await waiting.status, `it said ${waiting.said()}`).toBe(3);
}, 60_000);
