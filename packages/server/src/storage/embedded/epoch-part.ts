import type { Labels } from '@everflame/profile';
import { ByteReader } from './bytes.ts';
import { type Connection, soundly } from './database.ts';
import { Dictionary } from './dictionary.ts';
import { countTypeIndex, type Header, parseHeader } from './header.ts';
import type { TimeRange } from '../storage.ts';
import type { Part, PartSeries, ProfileRow } from './part.ts';
import { seriesKey, unsealed, unsealedText } from './sealed-record.ts';
import type { LeafSums, SumColumns } from './tree/leaf-sums.ts';
import { decodeLabelSets, unpack, VectorReader } from './vector.ts';
import type { Vector } from './vector-scratch.ts';

interface SeriesRow {
  readonly id: number;
  readonly epoch: number;
  readonly name: string;
  readonly labels: string;
  readonly first_ms: number;
  readonly last_ms: number;
  readonly profiles: number;
  readonly samples: number;
}
interface StoredRow {
  readonly id: number;
  readonly header: number;
  readonly time_ms: number;
  readonly label_sets: Uint8Array;
  readonly totals: Uint8Array;
  readonly data: Uint8Array;
}

/** An epoch's dictionary as far as it was read. */
export class EpochDictionary {
  readonly dictionary = new Dictionary();
  #sequence = 0;

  /** @throws StorageError `damaged` */
  follow(db: Connection, epoch: number): void {
    soundly(db, () => this.#follow(db, epoch));
  }

  #follow(db: Connection, epoch: number): void {
    const records = db.prepare<[number, number], { sequence: number; data: Uint8Array }>(
      'SELECT sequence, data FROM dictionary WHERE epoch = ? AND sequence > ? ORDER BY sequence',
    );
    for (const { sequence, data } of records.iterate(epoch, this.#sequence)) {
      this.dictionary.apply(new ByteReader(unpack(unsealed(data, [String(epoch)]))));
      this.#sequence = sequence;
    }
  }
}

/** The epochs that have profiles, in order. */
export function epochsOf(db: Connection): number[] {
  return db.prepare('SELECT DISTINCT epoch FROM series ORDER BY epoch').pluck().all() as number[];
}

/**
 * That all profiles were in some series of the epochs: none of these can tell that another one has vanished.
 *
 * @throws StorageError `damaged`
 */
export function checkCount(db: Connection, profiles: number): void {
  const found = Number(db.prepare('SELECT count(*) FROM profile').pluck().get());
  soundly(db, () => {
    if (found !== profiles) throw new RangeError(`there are ${found} profiles, of which series have ${profiles}`);
  });
}

/**
 * What stands in the data base of one epoch, in the transaction at hand.
 *
 * @throws StorageError `damaged`, and so do the series' methods
 */
export function epochPart(db: Connection, epoch: number, { dictionary }: EpochDictionary): Part {
  const rows = db
    .prepare<[number], SeriesRow>(
      'SELECT id, epoch, name, labels, first_ms, last_ms, profiles, samples FROM series WHERE epoch = ? AND profiles > 0',
    )
    .all(epoch);
  return {
    dictionary,
    leaves: null,
    series: rows.map((row) => soundly(db, () => new EpochSeries(db, row, dictionary))),
  };
}

class EpochSeries implements PartSeries {
  readonly name: string;
  readonly labels: Labels;
  readonly firstMs: number;
  readonly lastMs: number;
  readonly endMs: number;
  readonly profiles: number;
  readonly samples: number;
  readonly headers: PartSeries['headers'];
  readonly #db: Connection;
  readonly #dictionary: Dictionary;
  readonly #id: number;
  readonly #epoch: number;
  readonly #headers = new Map<number, { readonly header: Header; readonly text: string }>();
  #data: readonly { readonly data: Uint8Array; readonly header: Header }[] = [];

  constructor(db: Connection, row: SeriesRow, dictionary: Dictionary) {
    this.#db = db;
    this.#dictionary = dictionary;
    this.#id = row.id;
    this.#epoch = row.epoch;
    this.name = row.name;
    this.labels = parseLabels(unsealedText(row.labels, [String(row.epoch), row.name]));
    this.firstMs = row.first_ms;
    this.endMs = row.last_ms;
    this.profiles = row.profiles;
    this.samples = row.samples;
    const facts = db
      .prepare<[number], { id: number; text: string; first: number; last: number; count: number }>(
        `SELECT header.id AS id, header.text AS text, min(time_ms) AS first, max(time_ms) AS last, count(*) AS count
         FROM profile JOIN header ON header.id = profile.header WHERE series = ? GROUP BY header.id`,
      )
      .all(row.id);
    this.headers = facts.map(({ id, text: stored, first, last }) => {
      const text = unsealedText(stored, [String(row.epoch)]);
      const header = parseHeader(text);
      this.#headers.set(id, { header, text });
      return { header, firstMs: first, lastMs: last };
    });
    this.lastMs = Math.max(...facts.map(({ last }) => last));
    const found = facts.reduce((sum, { count }) => sum + count, 0);
    const firstMs = Math.min(...facts.map(({ first }) => first));
    if (found !== this.profiles || firstMs !== this.firstMs || !(this.lastMs >= firstMs && this.lastMs <= this.endMs))
      throw new RangeError(
        `series ${row.id} has ${found} profiles of ${firstMs} to ${this.lastMs}, not ${this.profiles} of ${this.firstMs} to ${this.endMs}`,
      );
  }

  rows(): readonly ProfileRow[] {
    return soundly(this.#db, () => this.#readRows());
  }

  #readRows(): readonly ProfileRow[] {
    const stored = this.#db
      .prepare<[number], StoredRow>(
        'SELECT id, header, time_ms, label_sets, totals, data FROM profile WHERE series = ? ORDER BY time_ms, id',
      )
      .all(this.#id);
    const key = seriesKey(this.name, this.labels);
    const opened = stored.map((row) => {
      const known = this.#headers.get(row.header);
      if (known === undefined) throw new RangeError(`header ${row.header} is missing`);
      const { header, text } = known;
      const data = unpack(this.#unsealed(row, key, text));
      const { timeRestNanos, durationNanos, mainMapping } = new VectorReader(data);
      const profile: ProfileRow = {
        id: row.id,
        timeMs: row.time_ms,
        restNanos: timeRestNanos,
        durationNanos,
        mainMapping,
        header,
        labelSets: decodeLabelSets(row.label_sets),
        totals: row.totals,
      };
      return { profile, data, header };
    });
    opened.sort((a, b) => compareRows(a.profile, b.profile));
    this.#data = opened;
    return opened.map(({ profile }) => profile);
  }

  /** Of the rows that `rows` gave last. */
  read(row: number, into: Vector): void {
    soundly(this.#db, () => this.#readVector(row, into));
  }

  #readVector(row: number, into: Vector): void {
    const one = this.#data[row];
    if (one === undefined) throw new RangeError(`there is no profile ${row}`);
    const types = one.header.sampleTypes;
    const reader = new VectorReader(one.data);
    const columns = types.length + (countTypeIndex(types) < 0 ? 1 : 0);
    into.reset(reader.rows, columns);
    reader.stacks(into.stacks);
    const last = reader.rows === 0 ? 0 : (into.stacks[reader.rows - 1] ?? 0);
    if (last >= this.#dictionary.stacks.length) throw new RangeError(`stack ${last} is not in the dictionary`);
    reader.labelSets(into.sets);
    for (let column = 0; column < columns; column++) reader.numbers((i, low, high) => into.put(column, i, low, high));
  }

  sum(range: TimeRange, columnsOf: (header: Header) => SumColumns | null, sums: LeafSums): number {
    return soundly(this.#db, () => this.#sumRows(range, columnsOf, sums));
  }

  #sumRows({ fromMs, untilMs }: TimeRange, columnsOf: (header: Header) => SumColumns | null, sums: LeafSums): number {
    const stored = this.#db.prepare<[number, number, number], Omit<StoredRow, 'id'>>(
      'SELECT header, time_ms, label_sets, totals, data FROM profile WHERE series = ? AND time_ms >= ? AND time_ms < ?',
    );
    const key = seriesKey(this.name, this.labels);
    let count = 0;
    for (const row of stored.iterate(this.#id, fromMs, untilMs)) {
      const known = this.#headers.get(row.header);
      if (known === undefined) throw new RangeError(`header ${row.header} is missing`);
      const columns = columnsOf(known.header);
      if (columns === null) continue;
      sums.addEpochVector(unpack(this.#unsealed(row, key, known.text)), columns);
      count++;
    }
    return count;
  }

  /** The data of a profile, whose checksum covers everything that stands beside it. */
  #unsealed(row: Omit<StoredRow, 'id'>, key: string, header: string): Uint8Array {
    const context = [String(this.#epoch), key, header, String(row.time_ms), row.label_sets, row.totals];
    return unsealed(row.data, context);
  }

  nodes(): [] {
    return [];
  }

  readNode(): void {
    throw new RangeError('an epoch has no rollups');
  }

  counts(): null {
    return null;
  }
}

/** By time, then by arrival. */
export function compareRows(a: ProfileRow, b: ProfileRow): number {
  return a.timeMs - b.timeMs || a.restNanos - b.restNanos || a.id - b.id;
}

/** Without a prototype, so that a label named `constructor` is absent where it is absent. */
export function parseLabels(text: string): Labels {
  return Object.assign(Object.create(null), JSON.parse(text)) as Labels;
}
