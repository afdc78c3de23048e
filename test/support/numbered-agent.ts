// A program that ships a numbered profile at every interval through the agent's own shipper, and says so on stdout when it
// is safe on disk: `queued 7`. SIGTERM drains and ends it.
//
//   node numbered-agent.ts SERVER DATA_DIR BASE_UNIX_MS FIRST_NUMBER INTERVAL_MS
import { setTimeout } from 'node:timers/promises';
import { createShipper, LossCounters } from '@everflame/agent';
import { numberedProfile } from './numbered-profile.ts';

const [server = '', dataDir = '', base = '', first = '', interval = ''] = process.argv.slice(2);
const shipper = await createShipper({
  server: new URL(server),
  dataDir,
  hostName: 'numbered-host',
  version: '0.0.0',
  lossCounters: new LossCounters(),
  // Shorter than an agent's own, so that a test of many failures ends soon.
  backoff: { baseMs: 500, capMs: 5_000 },
});
const ending = new AbortController();
process.once('SIGTERM', () => ending.abort());
for (let number = Number(first); !ending.signal.aborted; number++) {
  const labels = { __name__: 'process_cpu', service_name: 'numbered', host_name: 'numbered-host' };
  await shipper.enqueue([{ labels, pprof: numberedProfile(number, Number(base)) }]);
  process.stdout.write(`queued ${number}\n`);
  await setTimeout(Number(interval), undefined, { signal: ending.signal }).catch(() => undefined);
}
await shipper.drain(10_000);
await shipper.close();
process.exit(0);
