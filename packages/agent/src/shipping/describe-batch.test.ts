import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { startRecordingServer } from '../../../../test/support/recording-server.ts';
import { LossCounters } from '../health/counters.ts';
import { createShipper } from './create-shipper.ts';
import { describeBatch } from './describe-batch.ts';

test('scripts/dump-queue.mjs shows what waits in a queue, damage as well', async () => {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'everflame-dump-'));
  const away = await startRecordingServer();
  await away.close();
  const lossCounters = new LossCounters();
  lossCounters.add('samples_lost', 'ring_full', 3);
  const log = () => undefined;
  const shipper = await createShipper({ server: away.url, dataDir, hostName: 'a', version: '1', lossCounters, log });
  try {
    const labels = { __name__: 'process_cpu', service_name: 'api "x"' };
    await shipper.enqueue([{ labels, pprof: new Uint8Array(42) }]);
    await shipper.enqueue([{ labels, pprof: new Uint8Array(43) }]);
    const files = readdirSync(path.join(dataDir, 'queue')).map((name) => path.join(dataDir, 'queue', name));
    truncateSync(files[1] ?? '', 30);
    const script = path.resolve(import.meta.dirname, '../../../../scripts/dump-queue.mjs');
    const lines = execFileSync(process.execPath, [script, ...files], { encoding: 'utf8' }).split('\n');
    expect(lines[0]).toBe(files[0]);
    expect(lines[1]).toMatch(/^ {2}written 20\d\d-.*Z, \d+ bytes compressed$/);
    expect(lines[2]).toMatch(/^ {2}batch [0-9a-f]{32} of agent [0-9a-f]{32} 1 on a /);
    expect(lines[3]).toBe('  losses: samples_lost/ring_full 3');
    expect(lines[4]).toBe('  42 bytes {__name__="process_cpu", service_name="api \\"x\\""}');
    expect(lines[6]).toMatch(/^ {2}damaged: 6 bytes of payload where the header says \d+$/);
    const whole = readFileSync(files[0] ?? '');
    const cuts = Array.from(whole, (_, length) => describeBatch(whole.subarray(0, length))[0]);
    expect(cuts.filter((line) => !line?.startsWith('damaged: '))).toEqual([]);
  } finally {
    await shipper.close();
    rmSync(dataDir, { recursive: true });
  }
});
