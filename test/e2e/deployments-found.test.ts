import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startAgent } from '@everflame/agent';
import type { http } from '@everflame/protocols';
import { createServer, type Server } from '@everflame/server';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { postProfile } from '../support/drawn-fleet.ts';

let folder = '';
let server: Server;
const children: ChildProcess[] = [];
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'everflame-found-'));
  server = await createServer({ listen: { host: '127.0.0.1', port: 0 }, dataDir: join(folder, 'data') });
});
afterEach(async () => {
  for (const child of children.splice(0)) {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }
  await server.close();
  rmSync(folder, { recursive: true });
});

function run(command: string, args: readonly string[]): void {
  children.push(spawn(command, args, { cwd: folder, stdio: 'ignore' }));
}

/** Builds a program that burns CPU and answers its build ID as readelf shows it. */
function build(loops: string): string {
  writeFileSync(join(folder, 'main.c'), `int main() { volatile double x = 0; for (;;) { ${loops} } }\n`);
  execFileSync('gcc', ['-Wl,--build-id=sha1', '-o', 'new', 'main.c'], { cwd: folder });
  renameSync(join(folder, 'new'), join(folder, 'everflame-found'));
  const notes = execFileSync('readelf', ['-n', 'everflame-found'], { cwd: folder, encoding: 'utf8' });
  return /Build ID: ([0-9a-f]{40})/.exec(notes)?.[1] ?? '';
}

async function versionsOf(service: string): Promise<string[]> {
  const answer = await fetch(`${server.url}/api/v1/deployments?service=${service}`);
  const { deployments } = (await answer.json()) as http.DeploymentsAnswer;
  // On a busy machine the first interval may be shipped before the version was read.
  const named = deployments.filter(({ version }) => version !== '');
  return named.map(
    ({ version, source, periods }) => `${version} ${source} ${periods.map(({ replaces }) => replaces ?? '-').join()}`,
  );
}

test('a rebuilt binary is a new deployment with nothing configured, and a script has the version of its package', async () => {
  const agent = await startAgent({
    frequencyHz: 99,
    intervalMs: 1000,
    hostName: 'test-host',
    log: (message) => console.error(message),
    shipper: {
      enqueue: async (profiles) => {
        for (const { labels, pprof } of profiles) await postProfile(server.url, pprof, labels);
      },
    },
  });
  try {
    const first = build('x += 1;').slice(0, 12);
    run('./everflame-found', []);
    await expect.poll(async () => versionsOf('everflame-found'), { timeout: 120_000 }).toEqual([`${first} build_id -`]);
    children.pop()?.kill('SIGKILL');
    const second = build('x += 2; x /= 3;').slice(0, 12);
    expect(second).not.toBe(first);
    run('./everflame-found', []);
    await expect
      .poll(async () => versionsOf('everflame-found'), { timeout: 120_000 })
      .toEqual([`${second} build_id ${first}`, `${first} build_id -`]);

    writeFileSync(join(folder, 'package.json'), '{"name":"found","version":"7.1.0"}');
    writeFileSync(join(folder, 'main.js'), 'for (;;) Math.sqrt(Math.random());');
    run(process.execPath, ['main.js']);
    await expect
      .poll(async () => versionsOf('node'), { timeout: 120_000 })
      .toContainEqual(expect.stringMatching(/^7\.1\.0 package_json /));
  } finally {
    await agent.stop();
  }
}, 480_000);
