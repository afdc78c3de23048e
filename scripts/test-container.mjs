// `npm run test:container`: builds the images of the Dockerfile and runs them, on a machine that has no container engine.
// buildah builds on a base image that is a bare Debian of debootstrap; the images' root file systems are entered by chroot,
// with the user, the environment and the entry point that the image names. Needs root, debootstrap, zstd and buildah.
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { unpackBase } from './debian/base-root.mjs';
import { endProcessesIn, processesIn, spawnInRoot } from './debian/chroot.mjs';
import { copyNetworkSettings, networkEnv } from './debian/machine-network.mjs';
import { root as repository } from './setup/paths.mjs';
import { SetupError, run, setUp, which } from './setup/run.mjs';

const baseName = 'everflame-test-base';
const visibleLimitMs = 60_000;
const startedAt = performance.now();
const say = (what) => console.log(`-- ${((performance.now() - startedAt) / 1000).toFixed(1)} s: ${what}`);

/** buildah with a storage of its own below `dir`. */
function buildahIn(dir) {
  const place = ['--root', join(dir, 'storage'), '--runroot', join(dir, 'run'), '--storage-driver', 'vfs'];
  // What a build prints goes to stderr as it comes: it takes minutes.
  // A build shows its output and answers nothing.
  return (...args) => run('buildah', [...place, ...args], { quiet: args[0] !== 'build' })?.trim();
}

/** Makes the base image. What this machine needs to reach its registries is in it: it is for this test alone. */
function importBase(buildah, dir) {
  const root = join(dir, 'base');
  unpackBase(root);
  copyNetworkSettings(root);
  // As in Debian's own images: nobody needs a half-installed layer to survive a power cut.
  writeFileSync(join(root, 'etc/dpkg/dpkg.cfg.d/docker-apt-speedup'), 'force-unsafe-io\n');
  const container = buildah('from', 'scratch');
  buildah('add', '--quiet', container, root, '/');
  for (const [name, value] of Object.entries(networkEnv())) buildah('config', '--env', `${name}=${value}`, container);
  buildah('commit', '--quiet', container, baseName);
  buildah('rm', container);
  rmSync(root, { recursive: true });
}

/** Builds one image and opens it. Answers its root file system and what it is to be run as. */
function buildImage(buildah, name, context, base) {
  const args = ['--isolation', 'chroot', '--build-arg', `BASE=localhost/${base}`, '--tag', name];
  buildah('build', ...args, '--file', join(context, 'Dockerfile'), context);
  const { config } = JSON.parse(buildah('inspect', '--type', 'image', name)).OCIv1;
  const root = realpathSync(buildah('mount', buildah('from', name)));
  const env = Object.fromEntries((config.Env ?? []).map((entry) => entry.split(/=(.*)/su, 2)));
  const size = run('du', ['-sm', root]).split('\t')[0];
  say(`image ${name}: ${size} MB, user ${config.User}, ${config.Entrypoint.join(' ')} ${config.Cmd.join(' ')}`);
  return { root, user: config.User, entrypoint: config.Entrypoint, env };
}

/** Runs an image with arguments of its own. */
function start(image, args, user = image.user) {
  const stdio = ['ignore', 'pipe', 'inherit'];
  return spawnInRoot(image.root, [...image.entrypoint, ...args], {
    env: image.env,
    user: user.includes(':') ? user : `${user}:${user}`,
    stdio,
  });
}

async function readyUrl(child) {
  for await (const line of createInterface({ input: child.stdout })) {
    const url = /^ready (http:\S+)$/u.exec(line)?.[1];
    if (url === undefined) continue;
    child.stdout.resume();
    return url;
  }
  throw new SetupError('the server ended without a ready line');
}

/** Asks until the answer is what is waited for. */
async function waitFor(what, url, isThere) {
  const deadline = performance.now() + visibleLimitMs;
  let text = '';
  while (performance.now() < deadline) {
    const response = await fetch(url);
    text = await response.text();
    if (response.ok && isThere(JSON.parse(text))) return say(what);
    await sleep(200);
  }
  throw new SetupError(
    `not within ${visibleLimitMs / 1000} s: ${what}; the last answer of ${url}: ${text.slice(0, 1000)}`,
  );
}

async function testServer(image) {
  const server = start(image, ['server', '--listen', '127.0.0.1:0']);
  const url = await readyUrl(server);
  const ready = await fetch(`${url}/-/ready`);
  if (ready.status !== 200) throw new SetupError(`/-/ready answered ${ready.status}`);
  const users = processesIn(image.root).map(
    (pid) => /^Uid:\t(\d+)/mu.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1],
  );
  if (users.length === 0 || users.includes('0'))
    throw new SetupError(`the server runs as ${users.join(', ')}, not as a user without privileges`);
  const page = await fetch(url);
  if (!(page.headers.get('content-type') ?? '').startsWith('text/html'))
    throw new SetupError(`no page: ${page.status}`);
  say(`the server of the image answers /-/ready and shows its page, as user ${users.join(', ')}`);
  return url;
}

async function testAgentAndShop(url, image, shop) {
  start(image, ['agent', '--server', url, '--data-dir', '/tmp/agent'], 'root').stdout.resume();
  await waitFor('the agent of the image reports', `${url}/api/v1/status`, (status) => status.agents.length > 0);
  start(shop, ['--version', '1.1.0']).stdout.resume();
  const selector = '{service_name="shop",service_version="1.1.0"}';
  const query = new URLSearchParams({
    query: `process_cpu:cpu:nanoseconds:cpu:nanoseconds${selector}`,
    from: 'now-5m',
  });
  const hasName = (top) => top.functions.some((row) => row.name.includes('renderInvoice'));
  await waitFor('functions of the shop have their names', `${url}/api/v1/top?${query}`, hasName);
}

await setUp(async () => {
  if (process.getuid() !== 0) throw new SetupError('this test enters root file systems: run it as root');
  if (which('buildah') === null) throw new SetupError('buildah missing; run: apt-get install buildah');
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'everflame-container-')));
  const buildah = buildahIn(dir);
  const roots = [];
  const clean = async () => {
    for (const root of roots) await endProcessesIn(root);
    rmSync(dir, { recursive: true, force: true });
  };
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void clean().then(() => process.exit(130)));
  try {
    importBase(buildah, dir);
    say('base image imported');
    const everflame = buildImage(buildah, 'everflame', repository, baseName);
    roots.push(everflame.root);
    // Any image with Node.js will do for the shop.
    const shop = buildImage(buildah, 'everflame-shop', join(repository, 'examples/shop'), 'everflame');
    roots.push(shop.root);
    const url = await testServer(everflame);
    await testAgentAndShop(url, everflame, shop);
    say('passed');
  } finally {
    await clean();
  }
});
