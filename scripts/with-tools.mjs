// Runs a command of the workspace with Node.js 24 and the workspace's binaries first on PATH, after set-up.
import { spawnSync } from 'node:child_process';
import { root, toolsEnv } from './setup/paths.mjs';
import { setUp } from './setup/run.mjs';
import { ensureWorkspace } from './setup/workspace.mjs';

await setUp(ensureWorkspace);
const [command, ...args] = process.argv.slice(2);
if (command === undefined) throw new Error('usage: with-tools.mjs COMMAND [ARGUMENTS]');
const result = spawnSync(command, args, { cwd: root, env: toolsEnv(), stdio: 'inherit' });
if (result.error) throw result.error;
process.exit(result.status ?? 1);
