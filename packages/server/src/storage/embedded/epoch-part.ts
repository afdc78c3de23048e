import type { Labels } from '@everflame/profile';
import { ByteReader } from './bytes.ts';
import type { Connection } from './database.ts';
import { Dictionary } from './dictionary.ts';
import { countTypeIndex, type Header, parseHeader } from './header.ts';
import type { Part, PartSeries, ProfileRow } from './part.ts';
import { decodeLabelSets, unpack, VectorReader } from './vector.ts';
import type { Vector } from './vector-scratch.ts';

interface SeriesRow {
  readonly id: number;
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

  follow(db: Connection, epoch: number): void {
    const records = db.prepare<[number, number], { sequence: number; data: Uint8Array }>(
      'SELECT sequence, data FROM dictionary WHERE epoch = ? AND sequence > ? ORDER BY sequence',
    );
    for (const { sequence, data } of records.iterate(epoch, this.#sequence)) {
      this.dictionary.apply(new ByteReader(unpack(data)));
      this.#sequence = sequence;
    }
  }
}

/** The epochs that have profiles, in order. */
export function epochsOf(db: Connection): number[] {
  return db.prepare('SELECT DISTINCT epoch FROM series ORDER BY epoch').pluck().all() as number[];
}

/** What stands in the data base of one epoch, in the transaction at hand. */
export function epochPart(db: Connection, epoch: number, { dictionary }: EpochDictionary): Part {
  const rows = db.prepare<[number], SeriesRow>('SELECT * FROM series WHERE epoch = ? AND profiles > 0').all(epoch);
  return { dictionary, leaves: null, series: rows.map((row) => new EpochSeries(db, row)) };
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
  readonly #id: number;
  readonly #headers = new Map<number, Header>();
  #data: readonly { readonly data: Uint8Array; readonly header: Header }[] = [];

  constructor(db: Connection, row: SeriesRow) {
    this.#db = db;
    this.#id = row.id;
    this.name = row.name;
    this.labels = parseLabels(row.labels);
    this.firstMs = row.first_ms;
    this.endMs = row.last_ms;
    this.profiles = row.profiles;
    this.samples = row.samples;
    const facts = db
      .prepare<[number], { id: number; text: string; first: number; last: number }>(
        `SELECT header.id AS id, header.text AS text, min(time_ms) AS first, max(time_ms) AS last
         FROM profile JOIN header ON header.id = profile.header WHERE series = ? GROUP BY header.id`,
      )
      .all(row.id);
    this.headers = facts.map(({ id, text, first, last }) => {
      const header = parseHeader(text);
      this.#headers.set(id, header);
      return { header, firstMs: first, lastMs: last };
    });
    this.lastMs = Math.max(...facts.map(({ last }) => last));
  }

  rows(): readonly ProfileRow[] {
    const stored = this.#db
      .prepare<[number], StoredRow>(
        'SELECT id, header, time_ms, label_sets, totals, data FROM profile WHERE series = ? ORDER BY time_ms, id',
      )
      .all(this.#id);
    const opened = stored.map((row) => {
      const header = this.#headers.get(row.header);
      if (header === undefined) throw new RangeError(`header ${row.header} is missing`);
      const data = unpack(row.data);
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
    const one = this.#data[row];
    if (one === undefined) throw new RangeError(`there is no profile ${row}`);
    const types = one.header.sampleTypes;
    const reader = new VectorReader(one.data);
    const columns = types.length + (countTypeIndex(types) < 0 ? 1 : 0);
    into.reset(reader.rows, columns);
    reader.stacks(into.stacks);
    reader.labelSets(into.sets);
    for (let column = 0; column < columns; column++) reader.numbers((i, low, high) => into.put(column, i, low, high));
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
