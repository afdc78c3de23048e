// Profiles made to hurt the store: each is refused with the reason or stored exactly, others' profiles stay what they were, and no
// later question fails.
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { decodeProfile, encodeProfile, type Profile, ProfileBuilder, profileTypesOf } from '@everflame/profile';
import { verifyStore } from '@everflame/server';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { canonicalSamples } from '../load/canonical-samples.ts';
import { Random } from '../load/random.ts';
import { isLong } from '../support/long.ts';
import { type ServerProcess, startServerProcess } from './server-process.ts';

/** Printed with a failure, so that it can be run again. */
const seed = Number(process.env['EVERFLAME_SEED'] ?? Date.now() % 100_000);
const random = new Random(seed);
const mutants = isLong ? 300 : 150;
const dataDir = mkdtempSync(join(tmpdir(), 'everflame-store-hostile-'));
let server: ServerProcess;
beforeAll(async () => {
  server = await startServerProcess(dataDir);
});
afterAll(async () => {
  await server.end('SIGKILL');
  rmSync(dataDir, { recursive: true });
});

const nanoseconds = { type: 'cpu', unit: 'nanoseconds' };

async function post(labels: Readonly<Record<string, string>>, body: Uint8Array): Promise<Response> {
  const url = `${server.url}/api/v1/profiles?${new URLSearchParams(labels).toString()}`;
  return fetch(url, { method: 'POST', body: new Uint8Array(body) });
}

const everything = { from: '0', until: String(Date.now() + 10 * 86_400_000) };

async function ask(route: string, parameters: Readonly<Record<string, string>>): Promise<Response> {
  return fetch(`${server.url}/api/v1/${route}?${new URLSearchParams({ ...everything, ...parameters }).toString()}`);
}

/** The answers about one service, as they are sent. */
async function answersAbout(selector: string): Promise<string[]> {
  const responses = await Promise.all(
    ['top', 'flamegraph', 'series', 'callers'].map((route) =>
      ask(route, { query: selector, ...(route === 'callers' ? { function: 'parse' } : {}) }),
    ),
  );
  return Promise.all(responses.map(async (response) => `${response.status} ${await response.text()}`));
}

/** What a good citizen posts. */
function witness(): Profile {
  const builder = new ProfileBuilder({
    sampleTypes: [nanoseconds],
    periodType: nanoseconds,
    period: 10n,
    comments: ['good'],
  });
  const mapping = builder.mapping({ memoryStart: 0x1000n, memoryLimit: 0x9000n, file: '/bin/good', buildId: 'aa11' });
  let stack = 0;
  for (const [at, name] of ['main', 'parse', 'read'].entries()) {
    const own = builder.function({ name, systemName: `_Z${name}`, file: `${name}.c`, startLine: 7 });
    stack = builder.stack(
      stack,
      builder.location({ mapping, address: 0x1000n + BigInt(at), lines: [{ function: own, line: at + 1 }] }),
    );
    builder.add(
      stack,
      builder.labelSet([
        { key: 'thread_name', text: 'main' },
        { key: 'bytes', number: 7n, unit: 'bytes' },
      ]),
      [BigInt(at) + 1n],
    );
  }
  return builder.build();
}

const nastyTexts = [
  '',
  'main',
  'parse',
  'good',
  '/bin/good',
  'aa11',
  'thread_name',
  '__proto__',
  'constructor',
  'toString',
  'service_name',
  '\u0000',
  '\t',
  '\ufffd',
  '\ufeffmain',
  '𝕏'.repeat(300),
  'x'.repeat(100_000),
];
const nastyNumbers = [0n, 1n, -1n, 0x1000n, 2n ** 31n, 2n ** 32n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)];

/** A valid profile of the names and numbers that others use, in places where they mean something else, and of extreme ones. */
function poisonous(): Uint8Array {
  const text = () => random.pick(nastyTexts);
  const number = () => random.pick(nastyNumbers);
  const sampleTypes = random.next() < 0.7 ? [nanoseconds] : [nanoseconds, { type: text(), unit: text() }];
  const builder = new ProfileBuilder({
    sampleTypes,
    periodType: nanoseconds,
    period: number(),
    durationNanos: number(),
    comments: [text(), text()],
    docUrl: text(),
  });
  const mappings = [0, 1, 2].map((i) =>
    i === 0
      ? 0
      : builder.mapping({
          memoryStart: 0x1000n,
          memoryLimit: BigInt.asUintN(64, number()),
          fileOffset: BigInt.asUintN(64, number()),
          file: text(),
          buildId: text(),
        }),
  );
  for (let i = 0; i < 8; i++) {
    let stack = 0;
    for (let depth = random.below(6); depth > 0; depth--) {
      const lines = Array.from({ length: random.below(3) }, () => ({
        function: builder.function({
          name: text(),
          systemName: text(),
          file: text(),
          startLine: random.below(9),
        }),
        line: random.below(2 ** 31),
      }));
      stack = builder.stack(
        stack,
        builder.location({ mapping: random.pick(mappings), address: BigInt.asUintN(64, number()), lines }),
      );
    }
    const labels = Array.from({ length: random.below(3) }, () =>
      random.next() < 0.5 ? { key: text(), text: text() } : { key: text(), number: number(), unit: text() },
    ).filter(({ key }) => key !== '');
    const values = sampleTypes.map(() => (random.next() < 0.3 ? number() : BigInt(random.below(9))));
    // Each row is one of its own, or the builder would sum what overflows.
    builder.add(stack, builder.labelSet([...labels, { key: 'row', number: BigInt(i) }]), values);
  }
  return encodeProfile(builder.build());
}

const corpus = join(import.meta.dirname, '../corpus/pprof');
const bases: Uint8Array[] = globSync('**/*.pb.gz', { cwd: corpus })
  .sort()
  .map((name) => gunzipSync(readFileSync(join(corpus, name))))
  .filter(({ length }) => length < 30_000);

function mutant(): Uint8Array {
  let bytes = Uint8Array.from(random.next() < 0.3 ? encodeProfile(witness()) : random.pick(bases));
  for (let changes = 1 + random.below(4); changes > 0; changes--) {
    const at = random.below(bytes.length);
    const length = 1 + random.below(random.next() < 0.8 ? 4 : 200);
    const tail = bytes.subarray(at + length);
    switch (random.below(6)) {
      case 0:
        bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
        break;
      case 1:
        bytes[at] = random.below(256);
        break;
      case 2:
        bytes = Uint8Array.from(Buffer.concat([bytes.subarray(0, at), tail]));
        break;
      case 3:
        bytes = Uint8Array.from(Buffer.concat([bytes.subarray(0, at + length), bytes.subarray(at)]));
        break;
      case 4:
        bytes = Uint8Array.from(
          Buffer.concat([bytes.subarray(0, at), Buffer.from('ffffffffffffffffff01', 'hex'), tail]),
        );
        break;
      default:
        bytes = bytes.slice(0, Math.max(1, at));
    }
  }
  return bytes;
}

/** Posts under a label of its own. Answers the name that it was stored by; null when it was refused, which says why. */
async function postHostile(number: number, body: Uint8Array): Promise<string | null> {
  const response = await post({ service_name: 'hostile', number: String(number) }, body);
  const answer = (await response.json()) as Readonly<Record<string, unknown>>;
  if (response.status === 202) return String((answer['names'] as readonly unknown[])[0]);
  expect({ number, ...answer }).toMatchObject({
    status: expect.toSatisfy((status: number) => status === 400 || status === 413),
    code: expect.stringMatching(/^[a-z0-9_]+$/),
    detail: expect.stringMatching(/.{10}/),
    field: expect.any(String),
  });
  return null;
}

/** The question for all of one posted profile, which says its own types. */
function questionFor(number: number, name: string, profile: Profile): string {
  return `{${JSON.stringify(profileTypesOf(profile, name)[0]?.id)}, number="${number}"}`;
}

test(`hostile profiles are refused with the reason or stored exactly, and change nobody else's (EVERFLAME_SEED=${seed})`, async () => {
  expect((await post({ service_name: 'good' }, encodeProfile(witness()))).status).toBe(202);
  const before = await answersAbout('{service_name="good"}');
  expect(before.map((answer) => answer.slice(0, 4))).toEqual(['200 ', '200 ', '200 ', '200 ']);

  const stored = new Map<number, { readonly name: string; readonly body: Uint8Array }>();
  for (let number = 0; number < mutants; number++) {
    const body = random.next() < 0.3 ? poisonous() : mutant();
    const name = await postHostile(number, body);
    if (name !== null) stored.set(number, { name, body });
  }
  expect(stored.size).toBeGreaterThan(mutants / 10);
  expect(stored.size).toBeLessThan(mutants * 0.9);

  for (const [number, { name, body }] of stored) {
    const decoded = decodeProfile(body);
    if (!decoded.ok) throw new Error(`${number} was stored and cannot be decoded: ${decoded.error.message}`);
    const query = questionFor(number, name, decoded.profile);
    const response = await ask('pprof', { query });
    // Each profile's own sums are within int64, so that alone it can always be answered.
    expect({ number, query, status: response.status }).toMatchObject({ status: 200 });
    const got = canonicalSamples(Buffer.from(await response.arrayBuffer()));
    expect({ number, samples: got }).toEqual({ number, samples: canonicalSamples(body) });
  }
  console.log(`${stored.size} of ${mutants} were stored`);

  for (const route of [
    'top',
    'flamegraph',
    'series',
    'labels',
    'query_range',
    'services',
    'profile_types',
    'pprof',
    'diff',
    'status',
  ]) {
    const parameters =
      route === 'diff'
        ? { before_query: '{number="1"}', after_query: '{service_name="hostile"}' }
        : { query: '{service_name="hostile"}', ...(route === 'query_range' ? { by: 'number', step: '1h' } : {}) };
    const response = await fetch(
      `${server.url}/api/v1/${route}?${new URLSearchParams(route === 'status' ? {} : route === 'diff' ? { ...parameters } : { ...everything, ...parameters }).toString()}`,
    );
    expect({ route, status: response.status, text: response.status < 500 ? '' : await response.text() }).toMatchObject({
      status: expect.toSatisfy((status: number) => status < 500),
    });
  }
  expect(await answersAbout('{service_name="good"}')).toEqual(before);

  await server.end('SIGKILL');
  expect(verifyStore(dataDir).problems).toEqual([]);
  server = await startServerProcess(dataDir);
  expect(await answersAbout('{service_name="good"}')).toEqual(before);
});
