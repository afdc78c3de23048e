// More senders than the store keeps up with: some are told to come again, none is lost, and the memory stays bounded.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeProfile, ProfileBuilder } from '@everflame/profile';
import type { http } from '@everflame/protocols';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { getJson } from '../support/api.ts';
import { type ServerProcess, startServerProcess } from './server-process.ts';

const mib = 1024 * 1024;
const senders = 100;
const functions = 2000;
const dataDir = mkdtempSync(join(tmpdir(), 'everflame-busy-'));
let server: ServerProcess;
beforeAll(async () => {
  server = await startServerProcess(dataDir, { limits: { maxQueuedBytes: 8 * mib, maxBodyBytes: 4 * mib } });
});
afterAll(async () => {
  await server.end('SIGTERM');
  rmSync(dataDir, { recursive: true });
});

function residentMiB(): number {
  const status = readFileSync(`/proc/${server.pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(?<kib>\d+)/m.exec(status)?.groups?.['kib']) / 1024;
}

/** 2 MB, most of them in names. */
function largeProfile(): Uint8Array<ArrayBuffer> {
  const builder = new ProfileBuilder({
    sampleTypes: [{ type: 'cpu', unit: 'nanoseconds' }],
    periodType: { type: 'cpu', unit: 'nanoseconds' },
  });
  for (let n = 0; n < functions; n++) {
    const name = `${String(n)}${'x'.repeat(1000)}`;
    builder.add(builder.stack(0, builder.location({ lines: [{ function: builder.function({ name }) }] })), 0, [1n]);
  }
  return new Uint8Array(encodeProfile(builder.build()));
}

test(`${senders} senders at once of 2 MB each: 429 with Retry-After above the bound, all is stored by the end, memory is bounded`, async () => {
  const body = largeProfile();
  expect(body.length).toBeGreaterThan(2_000_000);
  const before = residentMiB();
  let peak = 0;
  const timer = setInterval(() => (peak = Math.max(peak, residentMiB())), 20);
  let busy = 0;
  const send = async (): Promise<void> => {
    for (;;) {
      const response = await fetch(`${server.url}/api/v1/profiles?service_name=busy`, { method: 'POST', body });
      await response.arrayBuffer();
      if (response.status === 202) return;
      busy++;
      expect(`${response.status} ${response.headers.get('retry-after')}`).toBe('429 1');
      await new Promise((resolve) => setTimeout(resolve, 200 + Math.random() * 500));
    }
  };
  try {
    await Promise.all(Array.from({ length: senders }, send));
  } finally {
    clearInterval(timer);
  }
  console.log(`${busy} times 429, resident memory ${before.toFixed(0)} MiB before, ${peak.toFixed(0)} MiB at most`);
  expect(busy).toBeGreaterThan(10);
  // 200 MB were sent at once. Held are 8 MiB that wait, 8 MiB that come in, and what the writer's thread makes of 8 MiB at a time.
  expect(peak - before).toBeLessThan(200);
  const status = await getJson<http.StatusAnswer>(server.url, '/api/v1/status');
  expect(status.storage.profiles).toBe(senders);
  const answer = await getJson<http.TopAnswer>(server.url, '/api/v1/top', {
    query: '{service_name="busy"}',
  });
  expect(answer).toMatchObject({ total: String(senders * functions), profiles: senders });
});
