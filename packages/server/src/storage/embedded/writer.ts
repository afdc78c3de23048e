import { type Labels, labelsKey, type Profile } from '@everflame/profile';
import type { AppendResult, Batch, Entry, Mark, StorageWriter } from '../storage.ts';
import { ByteReader, ByteWriter } from './bytes.ts';
import { type Connection, explained, openForWriting } from './database.ts';
import { Dictionary, type DictionaryMark } from './dictionary.ts';
import { formatHeader } from './header.ts';
import { encodeVector, pack, unpack } from './vector.ts';

/** Ids of batches are remembered this long: longer than any agent keeps a batch in its queue. */
const batchMemoryMs = 30 * 24 * 3_600_000;

/** The one writer of an embedded store. Everything that a call stores is one transaction with one sync of the disk. */
export class EmbeddedWriter implements StorageWriter {
  readonly #dataDir: string;
  readonly #db: Connection;
  readonly #dictionary = new Dictionary();
  readonly #out = new ByteWriter();
  readonly #series = new Map<string, number>();
  readonly #headers = new Map<string, number>();
  readonly #statements: ReturnType<typeof prepare>;
  /** How much of the dictionary is on disk. What a failed transaction added is written by the next. */
  #written: DictionaryMark;

  /** @throws StorageError */
  constructor(dataDir: string, nowMs: number) {
    this.#dataDir = dataDir;
    this.#db = openForWriting(dataDir);
    this.#statements = prepare(this.#db);
    explained(dataDir, () => {
      for (const data of this.#db
        .prepare<[], Uint8Array>('SELECT data FROM dictionary ORDER BY sequence')
        .pluck()
        .iterate()) {
        this.#dictionary.apply(new ByteReader(unpack(data)));
      }
      this.#db.prepare('DELETE FROM batch WHERE received_ms < ?').run(nowMs - batchMemoryMs);
    });
    this.#written = this.#dictionary.mark();
  }

  append(batches: readonly Batch[]): Promise<readonly AppendResult[]> {
    return Promise.resolve().then(() => explained(this.#dataDir, () => this.#append(batches)));
  }

  #append(batches: readonly Batch[]): readonly AppendResult[] {
    try {
      const results = this.#db.transaction(() => {
        const stored = batches.map((batch) => this.#batch(batch));
        this.#writeDictionary();
        return stored;
      })();
      this.#written = this.#dictionary.mark();
      return results;
    } catch (error) {
      // Their rows were rolled back.
      this.#series.clear();
      this.#headers.clear();
      throw error;
    }
  }

  mark(mark: Mark): Promise<void> {
    return Promise.resolve().then(() =>
      explained(this.#dataDir, () => {
        this.#statements.mark.run(mark.service, mark.version, mark.environment, mark.atMs, mark.commit, mark.url);
      }),
    );
  }

  close(): Promise<void> {
    this.#db.close();
    return Promise.resolve();
  }

  #batch(batch: Batch): AppendResult {
    if (batch.agent !== null) {
      this.#statements.agent.run(batch.agent.id, batch.agent.lastSeenMs, JSON.stringify(batch.agent));
    }
    if (batch.batchId !== null && this.#statements.batch.run(batch.batchId, batch.receivedMs).changes === 0) {
      return { stored: 0, repeated: true };
    }
    for (const entry of batch.entries) this.#entry(entry);
    return { stored: batch.entries.length, repeated: false };
  }

  #entry({ name, labels, profile }: Entry): void {
    const interned = this.#dictionary.intern(profile);
    const encoded = encodeVector(profile, interned, this.#out);
    const timeMs = Number(profile.timeNanos / 1_000_000n);
    const endMs = timeMs + Math.max(0, Number(profile.durationNanos / 1_000_000n));
    const series = this.#seriesId(name, labels);
    this.#statements.profile.run(
      series,
      this.#headerId(profile),
      timeMs,
      encoded.labelSets,
      encoded.totals,
      encoded.data,
    );
    this.#statements.touch.run(timeMs, endMs, encoded.samples, series);
  }

  #seriesId(name: string, labels: Labels): number {
    const key = JSON.stringify([name, labelsKey(labels)]);
    let id = this.#series.get(key);
    if (id === undefined) {
      const text = JSON.stringify(Object.fromEntries(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))));
      this.#statements.series.run(name, text);
      id = this.#statements.seriesId.get(name, text) ?? 0;
      this.#series.set(key, id);
    }
    return id;
  }

  #headerId(profile: Profile): number {
    const text = formatHeader(profile);
    let id = this.#headers.get(text);
    if (id === undefined) {
      this.#statements.header.run(text);
      id = this.#statements.headerId.get(text) ?? 0;
      this.#headers.set(text, id);
    }
    return id;
  }

  #writeDictionary(): void {
    this.#out.length = 0;
    if (this.#dictionary.writeSince(this.#written, this.#out)) this.#statements.dictionary.run(pack(this.#out.take()));
  }
}

function prepare(db: Connection) {
  return {
    agent: db.prepare(
      'INSERT INTO agent VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET last_seen_ms = excluded.last_seen_ms, report = excluded.report',
    ),
    batch: db.prepare('INSERT INTO batch VALUES (?, ?) ON CONFLICT DO NOTHING'),
    dictionary: db.prepare('INSERT INTO dictionary (data) VALUES (?)'),
    header: db.prepare('INSERT INTO header (text) VALUES (?) ON CONFLICT DO NOTHING'),
    headerId: db.prepare<[string], number>('SELECT id FROM header WHERE text = ?').pluck() as Lookup<[string]>,
    mark: db.prepare('INSERT INTO mark VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING'),
    profile: db.prepare(
      'INSERT INTO profile (series, header, time_ms, label_sets, totals, data) VALUES (?, ?, ?, ?, ?, ?)',
    ),
    series: db.prepare(
      'INSERT INTO series (name, labels, first_ms, last_ms, profiles, samples) VALUES (?, ?, 9007199254740991, 0, 0, 0) ON CONFLICT DO NOTHING',
    ),
    seriesId: db
      .prepare<[string, string], number>('SELECT id FROM series WHERE name = ? AND labels = ?')
      .pluck() as Lookup<[string, string]>,
    touch: db.prepare(
      'UPDATE series SET first_ms = min(first_ms, ?), last_ms = max(last_ms, ?), profiles = profiles + 1, samples = samples + ? WHERE id = ?',
    ),
  };
}

interface Lookup<Parameters extends unknown[]> {
  get(...parameters: Parameters): number | undefined;
}
