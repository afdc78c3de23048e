// Builds web/ into web/dist, unless nothing that goes into it has changed.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nodeBin, root, toolsEnv } from './setup/paths.mjs';
import { run, say, setUp } from './setup/run.mjs';
import { hashOf, isFresh, writeStamp } from './setup/stamp.mjs';

const inputs = [
  'web/src',
  'web/public',
  'web/index.html',
  'web/vite.config.ts',
  'web/package.json',
  'packages/profile/src',
  'packages/compare/src',
  'packages/protocols/src',
  'pnpm-lock.yaml',
];

/** Leaves a current build in web/dist. Needs the workspace's packages; throws SetupError when Vite fails. */
export async function buildWeb() {
  const stamp = join(root, 'web', 'dist', '.stamp');
  const value = hashOf(inputs.map((name) => join(root, name)));
  if (isFresh(stamp, value) && existsSync(join(root, 'web', 'dist', 'index.html'))) return;
  say('building the web page');
  const vite = join(root, 'web', 'node_modules', 'vite', 'bin', 'vite.js');
  run(nodeBin, [vite, 'build', '--logLevel', 'warn'], { cwd: join(root, 'web'), env: toolsEnv() });
  writeStamp(stamp, value);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await setUp(buildWeb);
