// What Node.js finds compiled when the agent starts: what takes the types off, once loaded, is 21 MB of each thread.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import agentRuntime from '../../packages/cli/src/agent-runtime.json' with { type: 'json' };

const root = fileURLToPath(new URL('../..', import.meta.url));
const dir = mkdtempSync(join(tmpdir(), 'everflame-compiled-'));
afterAll(() => rmSync(dir, { recursive: true }));

test('an agent that samples, names and ships strips the types of no module', async () => {
  const env = { ...process.env, NODE_COMPILE_CACHE: join(dir, 'cache') };
  const fill = "import('./scripts/setup/compile-cache.mjs').then(({ ensureCompiled }) => ensureCompiled())";
  const filled = spawnSync(process.execPath, ['-e', fill], { cwd: root, env, encoding: 'utf8' });
  expect(filled.status, `it printed ${filled.stderr}`).toBe(0);
  // Nobody listens there: the agent says so when it has its first profiles.
  const agent = spawn(
    process.execPath,
    [
      ...agentRuntime.flags,
      join(root, 'packages/cli/src/main.ts'),
      'agent',
      '--interval',
      '1s',
      '--server',
      'http://127.0.0.1:9',
      '--data-dir',
      join(dir, 'data'),
    ],
    { env: { ...env, NODE_DEBUG_NATIVE: 'COMPILE_CACHE' }, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let said = '';
  await new Promise<void>((resolve, reject) => {
    agent.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes('takes no batches')) resolve();
    });
    agent.on('exit', (code) => reject(new Error(`the agent ended with ${code}:\n${said.slice(-2000)}`)));
  });
  agent.removeAllListeners('exit');
  const exited = new Promise<void>((resolve) => agent.once('exit', () => resolve()));
  agent.kill('SIGTERM');
  await exited;
  const stripped = [...said.matchAll(/no transpile cache for StrippedTypeScript file:\/\/(\S+)/gu)].map(
    ([, file = '']) => file.slice(root.length),
  );
  expect(said).toMatch(/transpile cache for StrippedTypeScript/u);
  expect(stripped).toEqual([]);
});
