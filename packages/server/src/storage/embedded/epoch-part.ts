import type { Labels } from '@everflame/profile';
import type { TimeRange } from '../storage.ts';
import { ByteReader } from './bytes.ts';
import { type Connection, soundly, statement } from './database.ts';
import { Dictionary } from './dictionary.ts';
import { EpochRows, type SeriesRows } from './epoch-rows.ts';
import { type Header, vectorColumns } from './header.ts';
import type { Part, PartSeries, ProfileRow } from './part.ts';
import { unsealed } from './sealed-record.ts';
import type { LeafSums, SumColumns } from './tree/leaf-sums.ts';
import { decodeLabelSets, unpack, VectorReader } from './vector.ts';
import type { Vector } from './vector-scratch.ts';

/** What stands in the data base of one epoch, as far as one reader has read it. */
export class Epoch {
  readonly #db: Connection;
  readonly #number: number;
  readonly #dictionary = new Dictionary();
  readonly #rows: EpochRows;
  #sequence = 0;

  constructor(db: Connection, number: number) {
    this.#db = db;
    this.#number = number;
    this.#rows = new EpochRows(db, number);
  }

  /**
   * As of the transaction at hand.
   *
   * @throws StorageError `damaged`, and so do the series' methods
   */
  part(): Part {
    return soundly(this.#db, () => {
      this.#followDictionary();
      const dictionary = this.#dictionary;
      const series = this.#rows.follow().map((rows) => new EpochSeries(this.#db, rows, dictionary));
      return { dictionary, leaves: null, series };
    });
  }

  /** Gives its memory back: neither it nor its parts may be used afterwards. */
  discard(): void {
    this.#dictionary.discard();
  }

  #followDictionary(): void {
    const records = this.#db.prepare<[number, number], { sequence: number; data: Uint8Array }>(
      'SELECT sequence, data FROM dictionary WHERE epoch = ? AND sequence > ? ORDER BY sequence',
    );
    for (const { sequence, data } of records.iterate(this.#number, this.#sequence)) {
      this.#dictionary.apply(new ByteReader(unpack(unsealed(data, [String(this.#number)]))));
      this.#sequence = sequence;
    }
  }
}

/** The epochs that have profiles, in order. */
export function epochsOf(db: Connection): number[] {
  return statement(db, 'SELECT DISTINCT epoch FROM series ORDER BY epoch').pluck().all() as number[];
}

/**
 * That all profiles were in some series of the epochs: none of these can tell that another one has vanished.
 *
 * @throws StorageError `damaged`
 */
export function checkCount(db: Connection, profiles: number): void {
  const found = Number(statement(db, 'SELECT count(*) FROM profile').pluck().get());
  soundly(db, () => {
    if (found !== profiles) throw new RangeError(`there are ${found} profiles, of which series have ${profiles}`);
  });
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
  readonly #rows: SeriesRows;
  readonly #dictionary: Dictionary;
  #data: readonly { readonly data: Uint8Array; readonly header: Header }[] = [];

  constructor(db: Connection, rows: SeriesRows, dictionary: Dictionary) {
    this.#db = db;
    this.#rows = rows;
    this.#dictionary = dictionary;
    this.name = rows.name;
    this.labels = rows.labels;
    this.firstMs = rows.firstMs;
    this.lastMs = rows.lastMs;
    this.endMs = rows.endMs;
    this.profiles = rows.profiles;
    this.samples = rows.samples;
    this.headers = [...rows.headers.values()];
  }

  rows(): readonly ProfileRow[] {
    return soundly(this.#db, () => this.#readRows());
  }

  #readRows(): readonly ProfileRow[] {
    const opened = this.#rows.all().map((row) => {
      const { header, data: packed } = this.#rows.open(row);
      const data = unpack(packed);
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

  hasProfile(header: Header, range: TimeRange): boolean {
    return this.#rows.hasProfile(header, range);
  }

  labelSetsIn(range: TimeRange): readonly number[] {
    return soundly(this.#db, () => [...new Set(this.#rows.labelSetsIn(range))]);
  }

  /** Of the rows that `rows` gave last. */
  read(row: number, into: Vector): void {
    soundly(this.#db, () => this.#readVector(row, into));
  }

  #readVector(row: number, into: Vector): void {
    const one = this.#data[row];
    if (one === undefined) throw new RangeError(`there is no profile ${row}`);
    const reader = new VectorReader(one.data);
    const columns = vectorColumns(one.header);
    into.reset(reader.rows, columns);
    reader.stacks(into.stacks);
    const last = reader.rows === 0 ? 0 : (into.stacks[reader.rows - 1] ?? 0);
    if (last >= this.#dictionary.stacks.length) throw new RangeError(`stack ${last} is not in the dictionary`);
    reader.labelSets(into.sets);
    for (let column = 0; column < columns; column++) reader.numbers((i, low, high) => into.put(column, i, low, high));
  }

  sum(range: TimeRange, columnsOf: (header: Header) => SumColumns | null, sums: LeafSums): number {
    return soundly(this.#db, () => {
      let count = 0;
      for (const row of this.#rows.within(range)) {
        const { header, data } = this.#rows.open(row);
        const columns = columnsOf(header);
        if (columns === null) continue;
        sums.addEpochVector(unpack(data), columns);
        count++;
      }
      return count;
    });
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

/** When a profile was taken, and which came before. */
export type RowPlace = Pick<ProfileRow, 'timeMs' | 'restNanos' | 'id'>;

/** By time, then by arrival. */
export function compareRows(a: RowPlace, b: RowPlace): number {
  return a.timeMs - b.timeMs || a.restNanos - b.restNanos || a.id - b.id;
}
