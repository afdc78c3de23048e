#!/usr/bin/env node
// The `everflame` command in a clone: sets up what is missing, then hands over to packages/cli on Node.js 24.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { agentRuntime, compileCache, ensureCompiled, serverRuntime } from './setup/compile-cache.mjs';
import { nodeBin, root } from './setup/paths.mjs';
import { SetupError, say, setUp } from './setup/run.mjs';
import { ensureSystem } from './setup/system.mjs';
import { ensureWorkspace } from './setup/workspace.mjs';

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const args = process.argv.slice(2);
const command = args.find((arg) => !arg.startsWith('-'));
const asksForHelp = args.includes('--help') || args.includes('-h');

const env = { ...process.env, NODE_COMPILE_CACHE: compileCache };
await setUp(async () => {
  ensureWorkspace();
  if (!asksForHelp) {
    if (command === 'up' || command === 'agent' || command === 'record' || command === 'demo') {
      const missing = ensureSystem('run');
      for (const line of missing) say(line);
      // The server shows it as well: whoever opens the page must learn why it is empty.
      if (missing.length > 0) env.EVERFLAME_SETUP_NOTICES = missing.join('\n');
    }
    if (command === 'up' || command === 'server' || command === 'agent') ensureCompiled();
    if (command === 'up' || command === 'server') {
      // So that the server's own profiles are called what it is, not `node`.
      env.OTEL_SERVICE_NAME ??= 'everflame-server';
      env.OTEL_RESOURCE_ATTRIBUTES ??= `service.version=${manifest.version}`;
    }
    if (command === 'up' || command === 'server' || command === 'demo') {
      const { buildWeb } = await import('./build-web.mjs');
      try {
        await buildWeb();
      } catch (error) {
        // The API and the agent do not need the page; the last one that was built is served.
        if (!(error instanceof SetupError)) throw error;
        say(`the page could not be built: ${error.message}`);
      }
    }
  }
});

const nodeArgs = [join(root, 'packages', 'cli', 'src', 'main.ts'), ...args];
if (command === 'agent' || command === 'record') nodeArgs.unshift(...agentRuntime.flags);
if (command === 'server' || command === 'up') {
  nodeArgs.unshift(...serverRuntime.flags);
  Object.assign(env, serverRuntime.environment);
}
// Not for a recorder: the command that it records would inherit them.
if (command === 'agent') Object.assign(env, agentRuntime.environment);
if (typeof process.execve === 'function') process.execve(nodeBin, [nodeBin, ...nodeArgs], env);
const child = spawn(nodeBin, nodeArgs, { stdio: 'inherit', env });
// A terminal's Ctrl-C reaches the child as well; what is sent to this process alone is passed on. Either way the child decides.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) =>
  process.exit(signal === null ? (code ?? 1) : 128 + (constants.signals[signal] ?? 0)),
);
child.on('error', (error) => {
  say(`cannot run ${nodeBin}: ${error.message}`);
  process.exit(1);
});
