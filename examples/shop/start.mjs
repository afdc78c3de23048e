// Runs one version of the shop under its own load, until the time is over or it is told to stop.
//
//   node start.mjs --version 1.1.0 [--seconds 25] [--rate 150] [--listen 127.0.0.1:0]
//
// Both processes say who they are as OpenTelemetry does it; the shop writes its names of JIT code to /tmp/perf-PID.map.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const here = dirname(fileURLToPath(import.meta.url));
const { values } = parseArgs({
  options: {
    version: { type: 'string', default: process.env.SHOP_VERSION ?? '1.0.0' },
    seconds: { type: 'string' },
    rate: { type: 'string', default: '150' },
    listen: { type: 'string', default: '127.0.0.1:0' },
  },
});
if (!/^[0-9]+\.[0-9]+\.[0-9]+$/u.test(values.version)) throw new Error('--version must be like 1.0.0');

// With --perf-basic-prof V8 also leaves a log of its own in the current folder.
const scratchDir = mkdtempSync(join(tmpdir(), 'shop-'));
process.on('exit', () => rmSync(scratchDir, { recursive: true, force: true }));

/** @param {string} name @param {string[]} args @param {Record<string, string>} [extra] */
function start(name, args, extra = {}) {
  const env = {
    ...process.env,
    ...extra,
    OTEL_SERVICE_NAME: name,
    OTEL_RESOURCE_ATTRIBUTES: `service.version=${values.version},deployment.environment.name=demo`,
  };
  return spawn(process.execPath, args, { env, cwd: scratchDir, stdio: ['ignore', 'pipe', 'inherit'] });
}

const flags = ['--perf-basic-prof', '--interpreted-frames-native-stack'];
const shop = start('shop', [...flags, join(here, 'service.mjs')], { SHOP_LISTEN: values.listen });
const shopEnd = once(shop, 'exit');
const children = [shop];
let told = false;
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    told = true;
    // The load first, so that no request meets a closed shop; its end ends the shop.
    children.at(-1)?.kill('SIGTERM');
  });
}

let url;
for await (const line of createInterface({ input: shop.stdout })) {
  console.log(`shop ${values.version}: ${line}`);
  url = /^ready (http:\S+)$/u.exec(line)?.[1];
  if (url !== undefined) break;
}
if (url === undefined) throw new Error('the shop did not start');
shop.stdout.resume();

const loadArgs = ['--url', url.replace('//0.0.0.0:', '//127.0.0.1:'), '--rate', values.rate];
if (values.seconds !== undefined) loadArgs.push('--seconds', values.seconds);
const load = start('shop-load', [join(here, 'load.mjs'), ...loadArgs]);
children.push(load);
load.stdout.setEncoding('utf8').on('data', (text) => process.stdout.write(`load: ${text}`));
// The event, not the process's state: whichever ends first ends the other.
const [loadCode] = await Promise.race([once(load, 'exit'), shopEnd.then(() => [told ? 0 : 1])]);
for (const child of children) if (child.exitCode === null) child.kill('SIGTERM');
await shopEnd;
process.exitCode = loadCode ?? 1;
