import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { arch, homedir } from 'node:os';
import { join } from 'node:path';

/** Packages of npm that carry the program itself. */
const packageName = `node-linux-${arch() === 'arm64' ? 'arm64' : 'x64'}`;

/** Path of a Node.js of that major version, installed once into the tests' cache through npm's client. Throws with what npm said. */
export function nodeOfMajor(major: number): string {
  if (process.version.startsWith(`v${major}.`)) return process.execPath;
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'everflame');
  const folder = join(cache, `${packageName}-${major}`);
  const program = join(folder, 'node_modules', packageName, 'bin/node');
  if (existsSync(program)) return program;
  mkdirSync(cache, { recursive: true });
  const made = mkdtempSync(join(cache, 'install-'));
  const options = ['--no-save', '--no-package-lock', '--no-audit', '--no-fund', '--ignore-scripts'];
  const npm = spawnSync('npm', ['install', '--prefix', made, ...options, `${packageName}@${major}`], {
    encoding: 'utf8',
  });
  if (npm.status !== 0) throw new Error(`npm could not install ${packageName}@${major}: ${npm.stderr}`);
  rmSync(folder, { recursive: true, force: true });
  renameSync(made, folder);
  return program;
}
