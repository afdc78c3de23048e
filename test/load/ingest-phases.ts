import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { decodePooled, StringPool } from '@everflame/profile';
import { decompress } from '../../packages/server/src/ingest/decompress.ts';
import { ByteWriter } from '../../packages/server/src/storage/embedded/bytes.ts';
import { Dictionary } from '../../packages/server/src/storage/embedded/dictionary.ts';
import { Maintenance } from '../../packages/server/src/storage/embedded/maintenance.ts';
import { internProfile } from '../../packages/server/src/storage/embedded/profile-interning.ts';
import { encodeVector } from '../../packages/server/src/storage/embedded/vector.ts';
import { EmbeddedWriter } from '../../packages/server/src/storage/embedded/writer.ts';
import type { LoadSource } from './load-source.ts';

/** CPU-ms a profile of one thread that does nothing else. */
export interface IngestPhases {
  readonly unpack: number;
  readonly decode: number;
  readonly intern: number;
  readonly vector: number;
  readonly commit: number;
  readonly seal: number;
  readonly merge: number;
}

/** Profiles of one commit, as with as many senders at once. */
const groupSize = 16;

/** Stores the first `count` profiles of a load in this process, one part of the work after the other, and says what each took. */
export async function ingestPhases(source: LoadSource, count: number): Promise<IngestPhases> {
  const dataDir = mkdtempSync(join(tmpdir(), 'everflame-phases-'));
  const spent = { unpack: 0, decode: 0, intern: 0, vector: 0, append: 0, seal: 0, merge: 0 };
  const pool = new StringPool();
  const dictionary = new Dictionary();
  const out = new ByteWriter();
  const writer = new EmbeddedWriter(dataDir, Date.now());
  for (let first = 0; first < count; first += groupSize) {
    const numbers = Array.from({ length: Math.min(groupSize, count - first) }, (_, i) => first + i);
    const bodies = numbers.map((i) => gzipSync(source.profile(i).bytes));
    // Of what is no bomb all is unpacked before anything is waited for.
    const messages = await timed(spent, 'unpack', () => Promise.all(bodies.map((body) => decompress(body, 1e9))));
    const profiles = timed(spent, 'decode', () => messages.map((message) => decoded(message, pool)));
    const interned = timed(spent, 'intern', () => profiles.map((profile) => internProfile(dictionary, profile)));
    timed(spent, 'vector', () => profiles.map((profile, i) => encodeVector(profile, interned[i] ?? none, out)));
    const batches = profiles.map((profile, i) => ({
      batchId: null,
      entries: [{ name: 'process_cpu', labels: source.labels(first + i), profile }],
      agent: null,
      receivedMs: Date.now(),
    }));
    const before = cpuMs();
    await writer.append(batches);
    spent.append += cpuMs() - before;
  }
  writer.rotate();
  const maintenance = new Maintenance(dataDir);
  timed(spent, 'seal', () => maintenance.step(Date.now()));
  timed(spent, 'merge', () => {
    while (maintenance.step(Date.now(), true));
  });
  maintenance.close();
  await writer.close();
  rmSync(dataDir, { recursive: true });
  const { append, unpack, decode, intern, vector, seal, merge } = spent;
  return {
    unpack: unpack / count,
    decode: decode / count,
    intern: intern / count,
    vector: vector / count,
    commit: (append - intern - vector) / count,
    seal: seal / count,
    merge: merge / count,
  };
}

const none = { stacks: new Uint32Array(), labelSets: new Uint32Array(), mainMapping: 0 };

function decoded(message: Uint8Array, pool: StringPool) {
  const result = decodePooled(message, {}, pool);
  if (!result.ok) throw new Error(result.error.message);
  return result.profile;
}

function timed<Name extends string, T>(spent: Record<Name, number>, name: Name, action: () => T): T {
  const before = cpuMs();
  const result = action();
  spent[name] += cpuMs() - before;
  return result;
}

/** Of this thread, so that what V8's collector does in others is not counted. */
function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}
