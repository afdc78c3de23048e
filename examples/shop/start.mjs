// Runs one version of the shop under its own load, until the time is over or it is told to stop.
//
//   node start.mjs --version 1.1.0 [--instances 1] [--pod NAME] [--seconds 25] [--rate 150] [--warm-up 0] [--listen 127.0.0.1:0]
//                  [--service shop] [--node-flag=--FLAG …]
//
// The rate is that of all instances together. Every process says who it is as OpenTelemetry does it, several instances as pods
// of the name that is given, else shop-1.1.0, with a number behind it. The shop writes its names of JIT code to /tmp/perf-PID.map.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { installRelease } from './releases.mjs';

const { values } = parseArgs({
  options: {
    version: { type: 'string', default: process.env.SHOP_VERSION ?? '1.0.0' },
    instances: { type: 'string', default: '1' },
    pod: { type: 'string' },
    seconds: { type: 'string' },
    rate: { type: 'string', default: '150' },
    'warm-up': { type: 'string', default: '0' },
    service: { type: 'string', default: 'shop' },
    'node-flag': { type: 'string', multiple: true, default: [] },
    listen: { type: 'string', default: '127.0.0.1:0' },
  },
});
const instances = Number(values.instances);
if (!(Number.isInteger(instances) && instances >= 1 && instances <= 100)) throw new Error('--instances is 1 to 100');
if (instances > 1 && !values.listen.endsWith(':0'))
  throw new Error('several instances listen on free ports: leave out --listen');
const release = installRelease(values.version);

// With --perf-basic-prof V8 also leaves a log of its own in the current folder.
const scratchDir = mkdtempSync(join(tmpdir(), 'shop-'));
process.on('exit', () => rmSync(scratchDir, { recursive: true, force: true }));

/** @param {string} name @param {string[]} args @param {{ pod?: string, env?: Record<string, string> }} [more] */
function start(name, args, { pod, env = {} } = {}) {
  const attributes = [
    `service.version=${values.version}`,
    'deployment.environment.name=demo',
    ...(pod === undefined ? [] : [`k8s.pod.name=${pod}`]),
  ];
  return spawn(process.execPath, args, {
    env: { ...process.env, ...env, OTEL_SERVICE_NAME: name, OTEL_RESOURCE_ATTRIBUTES: attributes.join(',') },
    cwd: scratchDir,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

/** @type {import('node:child_process').ChildProcess[]} */
const children = [];
let told = false;
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    told = true;
    // The load first, so that no request meets a closed shop; its end ends the shops.
    for (const child of children.length > instances ? children.slice(instances) : children) child.kill('SIGTERM');
  });
}

/** @param {number} instance from 1 */
function podOf(instance) {
  if (instances > 1) return { pod: `${values.pod ?? `shop-${values.version}`}-${instance}` };
  return values.pod === undefined ? {} : { pod: values.pod };
}

/** @param {number} instance from 1 */
async function startShop(instance) {
  const flags = ['--perf-basic-prof', '--interpreted-frames-native-stack', ...values['node-flag']];
  const more = { env: { SHOP_LISTEN: values.listen }, ...podOf(instance) };
  const shop = start(values.service, [...flags, join(release, 'service.mjs')], more);
  children.push(shop);
  const end = once(shop, 'exit');
  for await (const line of createInterface({ input: shop.stdout })) {
    console.log(`shop ${values.version}: ${line}`);
    const url = /^ready (http:\S+)$/u.exec(line)?.[1];
    if (url === undefined) continue;
    shop.stdout.resume();
    return { url, end };
  }
  throw new Error('the shop did not start');
}

const shops = await Promise.all(Array.from({ length: instances }, (_, index) => startShop(index + 1)));
const urls = shops.flatMap(({ url }) => ['--url', url.replace('//0.0.0.0:', '//127.0.0.1:')]);
const seconds = values.seconds === undefined ? [] : ['--seconds', values.seconds];
const pace = ['--rate', values.rate, '--warm-up', values['warm-up'], ...seconds];
const load = start(`${values.service}-load`, [join(release, 'load.mjs'), ...urls, ...pace]);
children.push(load);
load.stdout.setEncoding('utf8').on('data', (text) => process.stdout.write(`load: ${text}`));
// The event, not the process's state: whichever ends first ends the others.
const [loadCode] = await Promise.race([once(load, 'exit'), ...shops.map(({ end }) => end.then(() => [told ? 0 : 1]))]);
for (const child of children) if (child.exitCode === null) child.kill('SIGTERM');
await Promise.all(shops.map(({ end }) => end));
process.exitCode = loadCode ?? 1;
