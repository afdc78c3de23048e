// kill -9 in mid-ingest: what was acknowledged is there, nothing is there twice, no batch is there in part.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { encodeProfile, ProfileBuilder } from '@everflame/profile';
import { encodeWriteRequest, type http } from '@everflame/protocols';
import { afterAll, expect, test } from 'vitest';
import { startServerProcess } from './server-process.ts';

const rounds = 10;
const dataDir = mkdtempSync(join(tmpdir(), 'everflame-crash-'));
afterAll(() => rmSync(dataDir, { recursive: true }));

/** Every profile has one function whose name is its own, so that a flat table tells what is stored and how often. */
function profileNamed(name: string): Uint8Array {
  const builder = new ProfileBuilder({
    sampleTypes: [{ type: 'cpu', unit: 'nanoseconds' }],
    periodType: { type: 'cpu', unit: 'nanoseconds' },
    timeNanos: BigInt(Date.now()) * 1_000_000n,
  });
  const stack = builder.stack(0, builder.location({ lines: [{ function: builder.function({ name }) }] }));
  builder.add(stack, 0, [1n]);
  return encodeProfile(builder.build());
}

type Outcome = 'acknowledged' | 'unknown';

/** Posts one profile as curl would. A connection that breaks leaves open whether it was stored. */
async function postPlain(url: string, name: string): Promise<Outcome> {
  return settled(
    fetch(`${url}/api/v1/profiles?service_name=plain`, {
      method: 'POST',
      body: new Uint8Array(gzipSync(profileNamed(name))),
    }),
  );
}

/** Sends a batch as an agent would. */
async function postBatch(url: string, batchId: Uint8Array, names: readonly string[]): Promise<Outcome> {
  const message = encodeWriteRequest({
    batchId,
    agent: { id: 'a', hostName: 'h', version: '1', kernel: '6', architecture: 'x86_64', startedUnixNanos: 0n },
    profiles: names.map((name) => ({
      labels: { __name__: 'process_cpu', service_name: 'batch' },
      pprof: profileNamed(name),
    })),
    counters: [],
  });
  return settled(fetch(`${url}/api/v1/write`, { method: 'POST', body: new Uint8Array(zstdCompressSync(message)) }));
}

async function settled(sent: Promise<Response>): Promise<Outcome> {
  const response = await sent.catch((error: unknown) => error);
  if (!(response instanceof Response)) return 'unknown';
  expect(response.status).toBe(202);
  return 'acknowledged';
}

/** Value by function, which is how often each profile is stored. */
async function storedTimes(url: string, service: string): Promise<Map<string, number>> {
  const query = encodeURIComponent(`{service_name="${service}"}`);
  const answer = (await (await fetch(`${url}/api/v1/top?query=${query}`)).json()) as http.TopAnswer;
  return new Map(answer.functions.map(({ name, self }) => [name, Number(self)]));
}

test(`${rounds} times kill -9 in mid-ingest lose nothing that was acknowledged and double nothing`, async () => {
  const plain = new Map<string, Outcome>();
  const batches = new Map<string, { id: Uint8Array; names: string[]; outcome: Outcome }>();
  for (let round = 0; round < rounds; round++) {
    const server = await startServerProcess(dataDir);
    // An agent sends again, first of all, what it does not know to be stored.
    for (const batch of batches.values()) {
      if (batch.outcome === 'unknown') batch.outcome = await postBatch(server.url, batch.id, batch.names);
    }
    const killed = new AbortController();
    let acknowledged = 0;
    const enough = Promise.withResolvers<void>();
    const count = (outcome: Outcome) => {
      if (outcome === 'acknowledged' && ++acknowledged === 40 + round * 7) enough.resolve();
    };
    const senders = [0, 1, 2, 3].map(async (sender) => {
      for (let i = 0; !killed.signal.aborted; i++) {
        const name = `r${round}s${sender}n${i}`;
        if (sender % 2 === 0) {
          plain.set(name, 'unknown');
          const outcome = await postPlain(server.url, name);
          plain.set(name, outcome);
          count(outcome);
        } else {
          const id = crypto.getRandomValues(new Uint8Array(16));
          const names = [0, 1, 2].map((part) => `${name}p${part}`);
          batches.set(name, { id, names, outcome: 'unknown' });
          const outcome = await postBatch(server.url, id, names);
          batches.set(name, { id, names, outcome });
          count(outcome);
        }
      }
    });
    await enough.promise;
    killed.abort();
    await server.end('SIGKILL');
    await Promise.all(senders);
  }

  const server = await startServerProcess(dataDir);
  const unsettled = [...batches.values()].filter(({ outcome }) => outcome === 'unknown');
  for (const { id, names } of unsettled) expect(await postBatch(server.url, id, names)).toBe('acknowledged');
  const storedPlain = await storedTimes(server.url, 'plain');
  for (const [name, outcome] of plain) {
    const times = storedPlain.get(name) ?? 0;
    // What broke off may be stored or not, but not twice.
    if (outcome === 'unknown' && times === 0) continue;
    expect(`${name} × ${times}`).toBe(`${name} × 1`);
  }
  const storedBatch = await storedTimes(server.url, 'batch');
  const expected = [...batches.values()].flatMap(({ names }) => names);
  expect([...storedBatch].map(([name, times]) => `${name} × ${times}`).sort()).toEqual(
    expected.map((name) => `${name} × 1`).sort(),
  );
  const interrupted = [...plain.values()].filter((outcome) => outcome === 'unknown').length;
  console.log(`${plain.size} profiles (${interrupted} of them cut off by a kill) and ${batches.size} batches of 3`);
  expect(interrupted).toBeGreaterThan(0);
  await server.end('SIGTERM');
});
