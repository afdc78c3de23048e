import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { arch, homedir } from 'node:os';
import { join } from 'node:path';

/** Builds of CPython that a registry carries as they run: JavaCPP's, of Maven. By minor version. */
const mavenBuilds: Readonly<Record<number, string>> = { 14: '3.14.3-1.5.13' };

/** A Python 3 of that minor version: pyenv's on this machine, else one of Maven's. Undefined where neither is to be had. */
export function pythonOf(minor: number): string | undefined {
  return pyenvPython(minor) ?? mavenPython(minor);
}

function pyenvPython(minor: number): string | undefined {
  const versions = join(process.env['PYENV_ROOT'] ?? join(homedir(), '.pyenv'), 'versions');
  const name = existsSync(versions) ? readdirSync(versions).find((each) => each.startsWith(`3.${minor}.`)) : undefined;
  const program = name === undefined ? undefined : join(versions, name, 'bin/python3');
  return program !== undefined && existsSync(program) ? program : undefined;
}

/** Installed once into the tests' cache through Maven's client; undefined without one. Throws with what it said. */
function mavenPython(minor: number): string | undefined {
  const build = mavenBuilds[minor];
  if (build === undefined || arch() !== 'x64' || spawnSync('mvn', ['--version']).error !== undefined) return undefined;
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'everflame');
  const folder = join(cache, `cpython-${build}`);
  const program = join(folder, `org/bytedeco/cpython/linux-x86_64/bin/python3.${minor}`);
  if (existsSync(program)) return program;
  mkdirSync(cache, { recursive: true });
  const made = mkdtempSync(join(cache, 'install-'));
  const artifact = `org.bytedeco:cpython:${build}:jar:linux-x86_64`;
  run('mvn', ['-q', '-B', 'dependency:copy', `-Dartifact=${artifact}`, `-DoutputDirectory=${made}`], made);
  const jar = `cpython-${build}-linux-x86_64.jar`;
  run('python3', ['-m', 'zipfile', '-e', jar, '.'], made);
  rmSync(join(made, jar));
  // Jars have no permissions.
  chmodSync(join(made, `org/bytedeco/cpython/linux-x86_64/bin/python3.${minor}`), 0o755);
  rmSync(folder, { recursive: true, force: true });
  renameSync(made, folder);
  return program;
}

function run(command: string, args: readonly string[], cwd: string): void {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}: ${stdout}${stderr}`);
}
