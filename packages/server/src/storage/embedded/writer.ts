import { discard, type Labels, type PathProfile, type Profile } from '@everflame/profile';
import { type AppendResult, type Batch, type Entry, type Mark, StorageError, type StorageWriter } from '../storage.ts';
import { ByteWriter } from './bytes.ts';
import { type Connection, explained, openForWriting } from './database.ts';
import { Dictionary, type DictionaryMark } from './dictionary.ts';
import { formatHeader } from './header.ts';
import { internProfile } from './profile-interning.ts';
import { sealed, sealedRowContext, sealedText, seriesKey } from './sealed-record.ts';
import { encodeVector, pack } from './vector.ts';

/** Ids of batches are remembered this long: longer than any agent keeps a batch in its queue. */
const batchMemoryMs = 30 * 24 * 3_600_000;

/**
 * An epoch ends after this many profiles, bytes of vectors or stacks in its dictionary, which bounds the memory for it in
 * every thread, or with the first batch received after this time.
 */
const defaultEpochLimits = { profiles: 4000, bytes: 24 * 1024 * 1024, stacks: 2_000_000, ageMs: 30 * 60_000 };
export type EpochLimits = typeof defaultEpochLimits;

/** The one writer of an embedded store. Everything that a call stores is one transaction with one sync of the disk. */
export class EmbeddedWriter implements StorageWriter {
  readonly #dataDir: string;
  readonly #db: Connection;
  readonly #limits: EpochLimits;
  #dictionary = new Dictionary();
  #epoch: number;
  #epochProfiles = 0;
  #epochBytes = 0;
  #epochStartMs: number;
  #nextId: number;
  /** What stands in the tables at first belongs to epochs before this one: a start reads no dictionary, and writes nothing. */
  #isRotationDue = true;
  readonly #out = new ByteWriter();
  readonly #series = new Map<string, number>();
  readonly #headers = new Map<string, number>();
  readonly #statements: ReturnType<typeof prepare>;
  /** How much of the dictionary is on disk. */
  #written: DictionaryMark;

  /**
   * @throws StorageError
   */
  constructor(dataDir: string, nowMs: number, limits: Partial<EpochLimits> = {}) {
    this.#dataDir = dataDir;
    this.#limits = { ...defaultEpochLimits, ...limits };
    this.#db = openForWriting(dataDir);
    this.#statements = prepare(this.#db);
    this.#nextId = 1;
    this.#epoch = 0;
    this.#epochStartMs = nowMs;
    explained(dataDir, () => {
      this.#nextId = (this.#statements.lastId.get() ?? 0) + 1;
    });
    this.#written = this.#dictionary.mark();
  }

  /** Ends the epoch, so that what was stored so far can become a block. */
  rotate(): void {
    explained(this.#dataDir, () => this.#beginEpoch(this.#epochStartMs));
  }

  /**
   * Nothing comes at present: ends the epoch that has something in it, the one of an earlier start included, so that it becomes a block and gives back
   * its memory. False: the disk refuses, ask again later.
   */
  rest(): boolean {
    try {
      explained(this.#dataDir, () => {
        if (this.#statements.hasRows.get() !== undefined) this.#beginEpoch(this.#epochStartMs);
        this.#out.shrink();
      });
      return true;
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      return false;
    }
  }

  append(batches: readonly Batch<Profile | PathProfile>[]): Promise<readonly AppendResult[]> {
    return Promise.resolve().then(() => explained(this.#dataDir, () => this.#append(batches)));
  }

  #append(batches: readonly Batch<Profile | PathProfile>[]): readonly AppendResult[] {
    const nowMs = batches.reduce((latest, { receivedMs }) => Math.max(latest, receivedMs), 0);
    const isOld = this.#epochProfiles > 0 && nowMs - this.#epochStartMs > this.#limits.ageMs;
    if (this.#isRotationDue || isOld) this.#beginEpoch(nowMs);
    if (this.#epochProfiles === 0) this.#epochStartMs = nowMs;
    try {
      const results = this.#db
        .transaction(() => {
          const stored = batches.map((batch) => this.#batch(batch));
          this.#writeDictionary();
          return stored;
        })
        .immediate();
      this.#written = this.#dictionary.mark();
      const { profiles, bytes, stacks } = this.#limits;
      const isFull =
        this.#epochProfiles >= profiles || this.#epochBytes >= bytes || this.#dictionary.stacks.length >= stacks;
      if (isFull) this.#rotateSoon();
      return results;
    } catch (error) {
      // Their rows were rolled back; what they brought into the dictionary goes with it, or a disk that refuses for long
      // would let it grow.
      this.#isRotationDue = true;
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

  /** What was stored is stored: a disk that refuses now refuses the next call as well, which says so. */
  #rotateSoon(): void {
    this.#isRotationDue = true;
    try {
      this.rotate();
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
    }
  }

  #beginEpoch(nowMs: number): void {
    this.#epoch = this.#statements.epoch.get() ?? 1;
    this.#statements.forget.run(nowMs - batchMemoryMs);
    this.#isRotationDue = false;
    this.#dictionary.discard();
    this.#dictionary = new Dictionary();
    this.#written = this.#dictionary.mark();
    this.#series.clear();
    this.#headers.clear();
    this.#epochProfiles = 0;
    this.#epochBytes = 0;
  }

  #batch(batch: Batch<Profile | PathProfile>): AppendResult {
    if (batch.agent !== null) {
      this.#statements.agent.run(batch.agent.id, batch.agent.lastSeenMs, JSON.stringify(batch.agent));
    }
    if (batch.batchId !== null && this.#statements.batch.run(batch.batchId, batch.receivedMs).changes === 0) {
      return { stored: 0, repeated: true };
    }
    for (const entry of batch.entries) this.#entry(entry);
    return { stored: batch.entries.length, repeated: false };
  }

  #entry({ name, labels, profile }: Entry<Profile | PathProfile>): void {
    const interned = internProfile(this.#dictionary, profile);
    const encoded = encodeVector(profile, interned, this.#out);
    discard(interned.stacks);
    const timeMs = Number(profile.timeNanos / 1_000_000n);
    const endMs = timeMs + Math.max(0, Number(profile.durationNanos / 1_000_000n));
    const key = seriesKey(name, labels);
    const series = this.#seriesId(key, name, labels);
    const header = formatHeader(profile);
    this.#epochProfiles++;
    this.#epochBytes += encoded.data.length;
    this.#statements.profile.run(
      this.#nextId++,
      series,
      this.#headerId(header),
      timeMs,
      encoded.labelSets,
      encoded.totals,
      sealed(
        encoded.data,
        sealedRowContext(this.#epoch, key, header, {
          time_ms: timeMs,
          label_sets: encoded.labelSets,
          totals: encoded.totals,
        }),
      ),
    );
    this.#statements.touch.run(timeMs, endMs, encoded.samples, series);
  }

  #seriesId(key: string, name: string, labels: Labels): number {
    let id = this.#series.get(key);
    if (id === undefined) {
      const sorted = Object.fromEntries(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
      const text = sealedText(JSON.stringify(sorted), [String(this.#epoch), name]);
      this.#statements.series.run(this.#epoch, name, text);
      id = this.#statements.seriesId.get(this.#epoch, name, text) ?? 0;
      this.#series.set(key, id);
    }
    return id;
  }

  #headerId(header: string): number {
    let id = this.#headers.get(header);
    if (id === undefined) {
      const text = sealedText(header, [String(this.#epoch)]);
      this.#statements.header.run(this.#epoch, text);
      id = this.#statements.headerId.get(this.#epoch, text) ?? 0;
      this.#headers.set(header, id);
    }
    return id;
  }

  #writeDictionary(): void {
    this.#out.length = 0;
    if (this.#dictionary.writeSince(this.#written, this.#out))
      this.#statements.dictionary.run(sealed(pack(this.#out.take()), [String(this.#epoch)]), this.#epoch);
  }
}

function prepare(db: Connection) {
  return {
    agent: db.prepare(
      'INSERT INTO agent VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET last_seen_ms = excluded.last_seen_ms, report = excluded.report',
    ),
    batch: db.prepare('INSERT INTO batch VALUES (?, ?) ON CONFLICT DO NOTHING'),
    dictionary: db.prepare('INSERT INTO dictionary (data, epoch) VALUES (?, ?)'),
    epoch: db
      .prepare<[], number>(
        "INSERT INTO meta VALUES ('epoch', '1') ON CONFLICT DO UPDATE SET value = value + 1 RETURNING CAST(value AS INTEGER)",
      )
      .pluck() as Lookup<[]>,
    forget: db.prepare('DELETE FROM batch WHERE received_ms < ?'),
    /** Whether the latest epoch has profiles. */
    hasRows: db
      .prepare<[], number>(
        "SELECT 1 FROM series WHERE profiles > 0 AND epoch = coalesce((SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'epoch'), 0) LIMIT 1",
      )
      .pluck() as Lookup<[]>,
    header: db.prepare('INSERT INTO header (epoch, text) VALUES (?, ?) ON CONFLICT DO NOTHING'),
    headerId: db
      .prepare<[number, string], number>('SELECT id FROM header WHERE epoch = ? AND text = ?')
      .pluck() as Lookup<[number, string]>,
    lastId: db
      .prepare<[], number>(
        'SELECT max(coalesce((SELECT max(id) FROM profile), 0), coalesce((SELECT max(last_id) FROM block), 0))',
      )
      .pluck() as Lookup<[]>,
    mark: db.prepare('INSERT INTO mark VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING'),
    profile: db.prepare(
      'INSERT INTO profile (id, series, header, time_ms, label_sets, totals, data) VALUES (?, ?, ?, ?, ?, ?, ?)',
    ),
    series: db.prepare(
      'INSERT INTO series (epoch, name, labels, first_ms, last_ms, profiles, samples) VALUES (?, ?, ?, 9007199254740991, 0, 0, 0) ON CONFLICT DO NOTHING',
    ),
    seriesId: db
      .prepare<[number, string, string], number>('SELECT id FROM series WHERE epoch = ? AND name = ? AND labels = ?')
      .pluck() as Lookup<[number, string, string]>,
    touch: db.prepare(
      'UPDATE series SET first_ms = min(first_ms, ?), last_ms = max(last_ms, ?), profiles = profiles + 1, samples = samples + ? WHERE id = ?',
    ),
  };
}

interface Lookup<Parameters extends unknown[]> {
  get(...parameters: Parameters): number | undefined;
}
