import { pbkdf2 } from 'node:crypto';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { LossCounters } from '../../health/counters.ts';
import { scanProcess } from '../proc-scan.ts';
import type { ProcessView } from '../process.ts';
import { ProgramVersions } from './program-versions.ts';
import { versionOfGo } from './read-version.ts';

let folder = '';
const children: ChildProcess[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'everflame-versions-'));
});
afterEach(async () => {
  for (const child of children.splice(0)) {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Writes files below a new folder. */
function tree(name: string, files: Readonly<Record<string, string>>): string {
  const root = join(folder, name);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

async function start(command: string, args: readonly string[], cwd: string): Promise<ProcessView> {
  const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  await once(child.stdout, 'data');
  const pid = child.pid ?? 0;
  const scanned = scanProcess(pid);
  if (scanned === undefined) throw new Error(`${command} has ended`);
  return {
    ...scanned,
    namespacePid: pid,
    startTimeNs: 0n,
    executableName: basename(readlinkSync(`/proc/${pid}/exe`)).replace(/ \(deleted\)$/u, ''),
  };
}

async function versionOf(process: ProcessView, versions = new ProgramVersions({ procRoot: '/proc' })): Promise<string> {
  const found = await versions.versionOf(versions.ticketOf(process, '', true));
  return found === undefined ? 'none' : `${found.version} (${found.source})`;
}

const stay = 'console.log("up"); setInterval(() => {}, 1000);';
const stayInPython = 'import time\nprint("up", flush=True)\ntime.sleep(1000)\n';
const stayInC = (what: string): string =>
  `#include <stdio.h>\n#include <unistd.h>\nint main() { puts("${what}"); fflush(stdout); for (;;) pause(); }\n`;

test('node: the package.json of the script’s folder upwards that has a version', async () => {
  const app = tree('node', {
    'package.json': '{"name":"shop","version":"3.1.4"}',
    'dist/package.json': '{"type":"module"}',
    'dist/main.js': stay,
    'other/package.json': '{"version":"9.9.9"}',
  });
  const node = process.execPath;
  expect(await versionOf(await start(node, ['--no-warnings', 'dist/main.js'], app))).toBe('3.1.4 (package_json)');
  // The working directory is not the program's.
  expect(await versionOf(await start(node, [join(app, 'dist/main.js')], join(app, 'other')))).toBe(
    '3.1.4 (package_json)',
  );
});

test('a package.json that is a FIFO, that links to nothing or is damaged is passed over', async () => {
  const app = tree('node-damaged', { 'package.json': '{"version":"1.0.0"}', 'a/b/main.js': stay });
  const started = await start(process.execPath, ['a/b/main.js'], app);
  execFileSync('mkfifo', [join(app, 'a/b/package.json')]);
  symlinkSync('/dev/zero', join(app, 'a/package.json'));
  expect(await versionOf(started)).toBe('1.0.0 (package_json)');
});

test('python: an installed distribution, else the project; a runner’s own version is not the application’s', async () => {
  const python = execFileSync('python3', ['-c', 'import os, sys; print(os.path.realpath(sys.executable))'], {
    encoding: 'utf8',
  }).trim();
  const app = tree('python', {
    'pyproject.toml': '[build-system]\nversion = "8"\n[project]\nname = "shop"\nversion = "0.9.1"\n',
    'src/main.py': stayInPython,
    'src/Shop_Worker.py': stayInPython,
    'src/shop_worker-2.4.dist-info/METADATA': 'Name: shop-worker\nVersion: 2.4\n',
    'src/gunicorn.py': stayInPython,
    'src/gunicorn-21.2.dist-info/METADATA': '',
  });
  const at = join(app, 'src');
  expect(await versionOf(await start(python, ['main.py'], at))).toBe('0.9.1 (python_dist)');
  expect(await versionOf(await start(python, ['-m', 'Shop_Worker'], at))).toBe('2.4 (python_dist)');
  expect(await versionOf(await start(python, ['-m', 'gunicorn', 'app:app'], at))).toBe('0.9.1 (python_dist)');
});

test('java: the manifest of the JAR', async () => {
  const at = tree('java', {
    'Main.java':
      'public class Main { public static void main(String[] a) throws Exception { System.out.println("up"); Thread.sleep(1000000); } }',
    'manifest.txt': 'Main-Class: Main\nImplementation-Version: 5.6.7\n',
  });
  execFileSync('javac', ['Main.java'], { cwd: at });
  execFileSync('jar', ['cfm', 'shop.jar', 'manifest.txt', 'Main.class'], { cwd: at });
  expect(await versionOf(await start('java', ['-Xmx32m', '-jar', 'shop.jar'], at))).toBe('5.6.7 (jar_manifest)');
}, 60_000);

test('a program run from its source and without a version has its commit', async () => {
  const at = tree('commit', { 'main.py': stayInPython });
  const git = (...args: string[]): string =>
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.com', ...args], {
      cwd: at,
      encoding: 'utf8',
    });
  git('init', '-q');
  git('add', '-A');
  git('commit', '-qm', 'one');
  expect(await versionOf(await start('python3', ['main.py'], at))).toBe(
    `${git('rev-parse', 'HEAD').slice(0, 12)} (git_head)`,
  );
});

test('a plain binary has its build ID, and rebuilt another, though its path is the same', async () => {
  const at = tree('native', { 'main.c': stayInC('one') });
  const versions = new ProgramVersions({ procRoot: '/proc' });
  const build = async (): Promise<string> => {
    execFileSync('gcc', ['-Wl,--build-id=sha1', '-o', 'new', 'main.c'], { cwd: at });
    renameSync(join(at, 'new'), join(at, 'server'));
    const notes = execFileSync('readelf', ['-n', 'server'], { cwd: at, encoding: 'utf8' });
    return `${/Build ID: ([0-9a-f]{12})/.exec(notes)?.[1] ?? ''} (build_id)`;
  };
  const first = await build();
  const old = await start('./server', [], at);
  expect(await versionOf(old, versions)).toBe(first);
  writeFileSync(join(at, 'main.c'), stayInC('two'));
  const second = await build();
  expect(second).not.toBe(first);
  expect(await versionOf(await start('./server', [], at), versions)).toBe(second);
  // The old one still runs, from a file that is deleted.
  expect(await versionOf(old, new ProgramVersions({ procRoot: '/proc' }))).toBe(first);
});

test('Go: a release by its tag, other builds by their commit; of changed files with the build', () => {
  const info = (mainVersion: string, settings: Record<string, string> = {}) => ({
    goVersion: 'go1.24.0',
    mainVersion,
    settings: new Map(Object.entries(settings)),
  });
  const revision = '0123456789abcdef0123456789abcdef01234567';
  const build = 'feedface00';
  const drawn = (...args: Parameters<typeof info>) => versionOfGo(info(...args), build)?.version;
  expect(drawn('v1.2.3')).toBe('v1.2.3');
  expect(drawn('(devel)', { 'vcs.revision': revision })).toBe('0123456789ab');
  expect(drawn('v0.0.0-20261125184356-0123456789ab', { 'vcs.revision': revision })).toBe('0123456789ab');
  expect(drawn('v0.0.0-20261125184356-0123456789ab+dirty', { 'vcs.revision': revision, 'vcs.modified': 'true' })).toBe(
    '0123456789ab+dirty.feedface',
  );
  expect(drawn('v1.2.3+dirty')).toBe('v1.2.3+dirty.feedface');
  expect(drawn('(devel)')).toBeUndefined();
});

test('an executable is read once, and a process of it that is gone has its version', async () => {
  const sleep = readlinkSync('/proc/self/exe');
  const at = tree('once', { 'main.c': stayInC('up') });
  execFileSync('gcc', ['-Wl,--build-id=sha1', '-o', 'server', 'main.c'], { cwd: at });
  const scanned = await start('./server', [], at);
  const notes = execFileSync('readelf', ['-n', 'server'], { cwd: at, encoding: 'utf8' });
  const buildId = /Build ID: ([0-9a-f]+)/.exec(notes)?.[1] ?? '';
  const mappings = scanned.mappings.map((one) => (one.path === scanned.executablePath ? { ...one, buildId } : one));
  const running = { ...scanned, mappings };
  const versions = new ProgramVersions({ procRoot: '/proc' });
  const ticket = versions.ticketOf(running, '', true);
  cpSync(sleep, join(at, 'unrelated'));
  expect(versions.ticketOf(running, '', true)).toBe(ticket);
  expect(versions.ticketOf({ ...running, pid: 2 ** 22 }, '', false)).toBe(ticket);
  expect((await versions.versionOf(ticket))?.version).toBe(buildId.slice(0, 12));
});

test('a file system that hangs costs its program the version until it answers, and nobody else', async () => {
  const losses = new LossCounters();
  const procRoot = tree('hanging-proc', {});
  mkdirSync(join(procRoot, '10/root'), { recursive: true });
  writeFileSync(join(procRoot, '10/exe'), readFileSync('/bin/true'));
  // No patience at all, and all four threads of the pool are busy: what needs one is late.
  for (let i = 0; i < 4; i++) pbkdf2('', '', 200_000, 64, 'sha512', () => undefined);
  const versions = new ProgramVersions({ procRoot, losses, patienceMs: 0 });
  const ticket = versions.ticketOf(
    {
      pid: 10,
      namespacePid: 10,
      startTimeNs: 0n,
      executablePath: '/a',
      executableName: 'a',
      mappings: [],
      isKernelThread: false,
    },
    '',
    true,
  );
  expect(await versions.versionOf(ticket)).toBeUndefined();
  await expect.poll(async () => (await versions.versionOf(ticket))?.source).toBe('build_id');
  expect(losses.rows().find(({ cause }) => cause === 'version')?.total).toBe(1);
});
