// Node.js 24, pnpm and the workspace's packages, each step skipped while its inputs are unchanged.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { nodeBin, root, toolsDir, toolsEnv } from './paths.mjs';
import { SetupError, run, say } from './run.mjs';
import { hashOf, isFresh, writeStamp } from './stamp.mjs';

function ensureTools() {
  const stamp = join(toolsDir, 'node_modules', '.stamp');
  const value = hashOf([join(toolsDir, 'package.json'), join(toolsDir, 'package-lock.json')], process.arch);
  if (isFresh(stamp, value) && existsSync(nodeBin)) return;
  if (process.platform !== 'linux')
    throw new SetupError('Everflame runs on Linux only: it profiles through the Linux kernel');
  if (process.arch !== 'x64' && process.arch !== 'arm64')
    throw new SetupError(`no Node.js 24 package for ${process.arch}; x64 and arm64 are supported`);
  say('installing Node.js 24 and pnpm (once)');
  run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error', '--engine-strict=false'], { cwd: toolsDir });
  const version = spawnSync(nodeBin, ['--version'], { encoding: 'utf8' });
  if (version.status !== 0)
    throw new SetupError(`${nodeBin} does not run here: ${version.stderr || version.error?.message}`);
  writeStamp(stamp, value);
}

function ensurePackages() {
  const stamp = join(root, 'node_modules', '.stamp');
  const manifests = readdirSync(join(root, 'packages')).map((name) => join(root, 'packages', name, 'package.json'));
  const inputs = ['package.json', 'pnpm-workspace.yaml', 'pnpm-lock.yaml', 'web/package.json'].map((name) =>
    join(root, name),
  );
  const value = hashOf([...inputs, ...manifests], readFileSync(join(toolsDir, 'package.json'), 'utf8'));
  if (isFresh(stamp, value)) return;
  say('installing packages');
  run('pnpm', ['install', '--frozen-lockfile', '--reporter=silent'], { cwd: root, env: { ...toolsEnv(), CI: 'true' } });
  writeStamp(stamp, value);
}

/** After this, `nodeBin` runs the TypeScript of the workspace. Throws SetupError with one line for the user. */
export function ensureWorkspace() {
  ensureTools();
  ensurePackages();
}
