// `npm run test:fresh`: the promise of the README on a bare machine. A Debian root with nothing but Node.js, npm and git; the
// repository cloned there; `npm start` must answer and show a flame graph, start again quickly, and `npm test` must pass.
//
//   node scripts/test-fresh.mjs [--start-only] [--keep]
//
// Tests what is committed. Needs root, debootstrap and zstd. `--keep` leaves the root file system for a look.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { unpackBase } from './debian/base-root.mjs';
import { endProcessesIn, runInRoot, spawnInRoot, stopInRoot } from './debian/chroot.mjs';
import { copyNetworkSettings, networkEnv } from './debian/machine-network.mjs';
import { root as repository } from './setup/paths.mjs';
import { SetupError, setUp, which } from './setup/run.mjs';

const firstReadyLimitMs = 10 * 60_000;
const secondReadyLimitMs = 3000;
const flamegraphLimitMs = 60_000;
const stopLimitMs = 5000;
const clone = '/root/everflame';

const { values: flags } = parseArgs({
  options: { 'start-only': { type: 'boolean', default: false }, keep: { type: 'boolean', default: false } },
});
const timings = [];
const note = (what, seconds) => {
  timings.push({ what, seconds });
  console.log(`-- ${what}: ${seconds.toFixed(1)} s`);
};

/** Copies this machine's Node.js (the one that runs this) and npm to where a package would put them. */
function copyNode(root) {
  const npm = which('npm');
  if (npm === null) throw new SetupError('npm missing on this machine');
  const npmDir = dirname(dirname(realpathSync(npm)));
  cpSync(realpathSync(process.execPath), join(root, 'usr/bin/node'));
  mkdirSync(join(root, 'usr/lib/node_modules'), { recursive: true });
  cpSync(npmDir, join(root, 'usr/lib/node_modules/npm'), { recursive: true });
  for (const name of ['npm', 'npx'])
    symlinkSync(`../lib/node_modules/npm/bin/${name}-cli.js`, join(root, 'usr/bin', name));
  const { version } = JSON.parse(readFileSync(join(npmDir, 'package.json'), 'utf8'));
  console.log(`-- Node.js ${process.version} with npm ${version}`);
}

function cloneInto(root) {
  const git = (...args) => execFileSync('git', ['-C', repository, ...args], { encoding: 'utf8' }).trim();
  const changes = git('status', '--porcelain')
    .split('\n')
    .filter((line) => line !== '').length;
  if (changes > 0) console.log(`-- note: ${changes} files with uncommitted changes are not part of this test`);
  console.log(`-- commit ${git('log', '-1', '--format=%h %s')}`);
  git('clone', '--quiet', '--bare', '--no-hardlinks', repository, join(root, 'srv/everflame.git'));
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** Starts `npm start` and resolves when the ready line is there and `/-/ready` answers 200. */
async function start(root, env, limitMs) {
  const startedAt = performance.now();
  const child = spawnInRoot(root, ['sh', '-c', `cd ${clone} && exec npm start`], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const timer = setTimeout(() => process.kill(-child.pid, 'SIGKILL'), limitMs);
  try {
    let url;
    for await (const line of createInterface({ input: child.stdout })) {
      url = /^ready (http:\S+)$/u.exec(line)?.[1];
      if (url !== undefined) break;
      if (!line.startsWith('>') && line !== '') console.log(`   stdout: ${line}`);
    }
    if (url === undefined)
      throw new SetupError(`npm start ended without a ready line (it may take ${limitMs / 1000} s)`);
    child.stdout.resume();
    const ready = await fetch(`${url}/-/ready`);
    if (ready.status !== 200) throw new SetupError(`/-/ready answered ${ready.status}`);
    return { child, url, startedAt, seconds: (performance.now() - startedAt) / 1000 };
  } finally {
    clearTimeout(timer);
  }
}

/** Waits until the flame graph of the last five minutes has functions, and answers how many. */
async function waitForFlamegraph(url) {
  const query = new URLSearchParams({ query: 'process_cpu:cpu:nanoseconds:cpu:nanoseconds', from: 'now-5m' });
  const deadline = performance.now() + flamegraphLimitMs;
  let last = 'no answer';
  while (performance.now() < deadline) {
    const response = await fetch(`${url}/api/v1/flamegraph?${query}`);
    const text = await response.text();
    if (response.ok) {
      const frames = JSON.parse(text).frames.name.length;
      if (frames > 10) return frames;
      last = `${frames} functions`;
    } else last = `${response.status} ${text.slice(0, 300)}`;
    await sleep(100);
  }
  const status = await (await fetch(`${url}/api/v1/status`)).text();
  throw new SetupError(
    `no flame graph within ${flamegraphLimitMs / 1000} s (${last}); status: ${status.slice(0, 2000)}`,
  );
}

async function stop(root, server) {
  const startedAt = performance.now();
  if (!(await stopInRoot(root, server.child, stopLimitMs))) {
    throw new SetupError(`the server or its agent still runs ${stopLimitMs / 1000} s after a SIGTERM`);
  }
  return (performance.now() - startedAt) / 1000;
}

async function testIn(root) {
  const port = await freePort();
  const env = { ...networkEnv(), EVERFLAME_LISTEN: `127.0.0.1:${port}` };
  await runInRoot(root, ['git', 'clone', '--quiet', '/srv/everflame.git', clone]);

  const first = await start(root, env, firstReadyLimitMs);
  note('fresh clone: `npm start` to ready', first.seconds);
  const frames = await waitForFlamegraph(first.url);
  note(
    `fresh clone: \`npm start\` to the first flame graph (${frames} functions)`,
    (performance.now() - first.startedAt) / 1000,
  );
  const page = await fetch(`${first.url}/`);
  if (!(page.headers.get('content-type') ?? '').startsWith('text/html'))
    throw new SetupError(`the page is missing: ${page.status}`);
  note('stop', await stop(root, first));

  const second = await start(root, env, firstReadyLimitMs);
  note('second `npm start` to ready', second.seconds);
  await stop(root, second);
  if (second.seconds * 1000 > secondReadyLimitMs)
    throw new SetupError(`the second start may take ${secondReadyLimitMs / 1000} s`);
  if (flags['start-only']) return;

  const testsAt = performance.now();
  await runInRoot(root, ['sh', '-c', `cd ${clone} && exec npm test`], { env: networkEnv() });
  note('`npm test` with its own set-up', (performance.now() - testsAt) / 1000);
}

await setUp(async () => {
  if (process.getuid() !== 0) throw new SetupError('this test makes a root file system and enters it: run it as root');
  const workDir = realpathSync(mkdtempSync(join(tmpdir(), 'everflame-fresh-')));
  const root = join(workDir, 'root');
  const leave = async () => {
    await endProcessesIn(root);
    rmSync(workDir, { recursive: true, force: true });
    process.exit(130);
  };
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void leave());
  try {
    const unpackedAt = performance.now();
    unpackBase(root);
    copyNode(root);
    copyNetworkSettings(root);
    cloneInto(root);
    note('bare Debian unpacked', (performance.now() - unpackedAt) / 1000);
    await testIn(root);
    console.log('passed');
  } finally {
    if (existsSync(root)) await endProcessesIn(root);
    for (const { what, seconds } of timings) console.log(`${seconds.toFixed(1).padStart(8)} s  ${what}`);
    if (flags.keep) console.log(`-- kept: ${root}`);
    else rmSync(workDir, { recursive: true, force: true });
  }
});
