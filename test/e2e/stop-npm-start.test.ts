import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { http } from '@everflame/protocols';
import { expect, test } from 'vitest';
import { getJson } from '../support/api.ts';
import { repositoryRoot, startEverflame } from '../support/everflame-process.ts';
import { waitFor } from '../support/wait-for.ts';

test('npm start ends within 5 s of a signal to its whole process group, with everything stored', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'everflame-stop-'));
  const dataDir = join(directory, 'data');
  const env = { ...process.env, EVERFLAME_LISTEN: '127.0.0.1:0', EVERFLAME_DATA_DIR: dataDir };
  // A group of its own, as a shell or a service manager makes one: npm passes the signal on as well.
  const npm = spawn('npm', ['start'], { cwd: repositoryRoot, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  const pid = npm.pid ?? 0;
  try {
    const stderr = text(npm.stderr);
    const url = await new Promise<string>((resolve) => {
      let output = '';
      npm.stdout.setEncoding('utf8').on('data', (chunk: string) => {
        output += chunk;
        const ready = /^ready (http:\S+)$/mu.exec(output)?.[1];
        if (ready !== undefined) resolve(ready);
      });
    });
    await waitFor('the agent', async () => {
      const { agents } = await getJson<http.StatusAnswer>(url, '/api/v1/status');
      return agents.length > 0 ? agents : undefined;
    });
    const signalledAt = performance.now();
    // What is on stderr comes from npm, the server and the agent: it is closed when the last of them is gone.
    const closed = once(npm.stderr, 'close');
    process.kill(-pid, 'SIGTERM');
    await closed;
    expect(performance.now() - signalledAt).toBeLessThan(5000);
    expect(await stderr).not.toMatch(/killed|wait on disk/u);
    const queued = readdirSync(join(dataDir, 'agent'), { recursive: true, encoding: 'utf8' });
    expect(queued.filter((name) => name.endsWith('.batch'))).toEqual([]);
  } finally {
    if (npm.exitCode === null && npm.signalCode === null) process.kill(-pid, 'SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  }
});

// An older Node.js than 22.15 cannot replace itself with the server: then the launcher passes the signal on.
const asOlder = { NODE_OPTIONS: '--import=data:text/javascript,process.execve=undefined' };

test.each([
  ['SIGINT', {}],
  ['SIGTERM', {}],
  ['SIGHUP', {}],
  ['SIGINT', asOlder],
  ['SIGTERM', asOlder],
  ['SIGHUP', asOlder],
] as const)('%s to the launcher alone ends the server %o', async (signal, env) => {
  const directory = mkdtempSync(join(tmpdir(), 'everflame-stop-'));
  const everflame = await startEverflame(['server', '--listen', '127.0.0.1:0', '--data-dir', directory], env);
  try {
    expect(await everflame.end(signal)).toBe(0);
  } finally {
    everflame.child.kill('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  }
});
