import type { Labels } from '@everflame/profile';
import type { TimeRange } from '../storage.ts';
import type { Connection } from './database.ts';
import { type Header, parseHeader } from './header.ts';
import { parseLabels, sealedRowContext, seriesKey, unsealed, unsealedText } from './sealed-record.ts';
import { decodeLabelSets } from './vector.ts';

/** A profile of an epoch as it is stored. */
export interface StoredRow {
  readonly id: number;
  readonly header: number;
  readonly time_ms: number;
  readonly label_sets: Uint8Array;
  readonly totals: Uint8Array;
  readonly data: Uint8Array;
}

interface StoredSeries {
  readonly id: number;
  readonly name: string;
  readonly labels: string;
  readonly first_ms: number;
  readonly last_ms: number;
  readonly profiles: number;
  readonly samples: number;
}

interface KnownHeader {
  readonly header: Header;
  readonly text: string;
}

/**
 * What a reader knows of the profiles of one epoch without their samples: which series has them, when, of what shape. It is extended by what came since the
 * last question, so that one about a few profiles does not look at all.
 */
export class EpochRows {
  readonly #epoch: number;
  readonly #statements: ReturnType<typeof prepare>;
  readonly #headers = new Map<number, KnownHeader>();
  readonly #series = new Map<number, SeriesRows>();
  /** Ids ascend in the order of arrival, whatever the epoch. */
  #lastId = 0;

  constructor(db: Connection, epoch: number) {
    this.#epoch = epoch;
    this.#statements = prepare(db);
  }

  /**
   * The series that have profiles, as of the transaction at hand.
   *
   * @throws RangeError what is there is not what was stored
   */
  follow(): readonly SeriesRows[] {
    const stored = this.#statements.series.all(this.#epoch);
    const isExtended = this.#read(stored);
    // Retention deletes rows: then all are read anew.
    if (!isExtended) {
      this.#series.clear();
      this.#lastId = 0;
      this.#read(stored);
    }
    return stored.map((row) => {
      const series = this.#series.get(row.id);
      if (series === undefined || !series.fits(row)) throw new RangeError(misfit(row, series));
      return series;
    });
  }

  /** Takes over what came since. False where something else has changed. */
  #read(stored: readonly StoredSeries[]): boolean {
    for (const row of stored) {
      let known = this.#series.get(row.id);
      if (known === undefined) {
        const labels = parseLabels(unsealedText(row.labels, [String(this.#epoch), row.name]));
        known = new SeriesRows(this.#epoch, row, labels, this.#statements);
        this.#series.set(row.id, known);
      }
      known.update(row);
    }
    for (const { id, series, header, time_ms } of this.#statements.news.iterate(this.#lastId)) {
      this.#lastId = id;
      this.#series.get(series)?.add(id, time_ms, header, this.#header(header));
    }
    return stored.every((row) => this.#series.get(row.id)?.fits(row) === true);
  }

  /** Undefined for one of another epoch. */
  #header(id: number): KnownHeader | undefined {
    const known = this.#headers.get(id);
    if (known !== undefined) return known;
    const stored = this.#statements.header.get(id, this.#epoch);
    if (stored === undefined) return undefined;
    const text = unsealedText(stored, [String(this.#epoch)]);
    const found = { header: parseHeader(text), text };
    this.#headers.set(id, found);
    return found;
  }
}

/** The profiles of one series in an epoch. */
export class SeriesRows {
  readonly name: string;
  readonly labels: Labels;
  /** By number of the header: its profiles' first and last time. */
  readonly headers = new Map<number, KnownHeader & { readonly firstMs: number; readonly lastMs: number }>();
  firstMs = Infinity;
  lastMs = -Infinity;
  endMs = 0;
  samples = 0;
  readonly #id: number;
  readonly #key: string;
  readonly #epoch: number;
  readonly #statements: ReturnType<typeof prepare>;
  /** One for each profile, in order of arrival. */
  readonly #times: number[] = [];
  readonly #headerOf: number[] = [];
  /** Label sets of the first ones, as far as they were asked for. */
  readonly #sets: Uint32Array[] = [];
  #lastWithSets = 0;

  constructor(
    epoch: number,
    { id, name }: Pick<StoredSeries, 'id' | 'name'>,
    labels: Labels,
    statements: ReturnType<typeof prepare>,
  ) {
    this.#epoch = epoch;
    this.#id = id;
    this.name = name;
    this.labels = labels;
    this.#key = seriesKey(name, labels);
    this.#statements = statements;
  }

  get profiles(): number {
    return this.#times.length;
  }

  update({ last_ms, samples }: Pick<StoredSeries, 'last_ms' | 'samples'>): void {
    this.endMs = last_ms;
    this.samples = samples;
  }

  add(id: number, timeMs: number, header: number, known: KnownHeader | undefined): void {
    if (known === undefined) throw new RangeError(`profile ${id} has header ${header}, which is missing`);
    this.#times.push(timeMs);
    this.#headerOf.push(header);
    this.firstMs = Math.min(this.firstMs, timeMs);
    this.lastMs = Math.max(this.lastMs, timeMs);
    const { firstMs, lastMs } = this.headers.get(header) ?? { firstMs: timeMs, lastMs: timeMs };
    this.headers.set(header, { ...known, firstMs: Math.min(firstMs, timeMs), lastMs: Math.max(lastMs, timeMs) });
  }

  /** Whether these are the profiles that the table of series speaks of. */
  fits({ profiles, first_ms, last_ms }: StoredSeries): boolean {
    return profiles === this.profiles && first_ms === this.firstMs && this.lastMs <= last_ms;
  }

  hasProfile(header: Header, { fromMs, untilMs }: TimeRange): boolean {
    for (let i = 0; i < this.#times.length; i++) {
      const timeMs = this.#times[i] ?? 0;
      if (timeMs < fromMs || timeMs >= untilMs) continue;
      if (this.headers.get(this.#headerOf[i] ?? 0)?.header === header) return true;
    }
    return false;
  }

  /** Numbers of the label sets of samples in the range; one may come several times. */
  *labelSetsIn({ fromMs, untilMs }: TimeRange): IterableIterator<number> {
    if (this.#sets.length < this.#times.length) {
      for (const row of this.#statements.since.iterate(this.#id, this.#lastWithSets)) {
        this.open(row);
        this.#sets.push(decodeLabelSets(row.label_sets));
        this.#lastWithSets = row.id;
      }
      this.#expect(this.#sets.length, this.#times.length);
    }
    for (let i = 0; i < this.#times.length; i++) {
      const timeMs = this.#times[i] ?? 0;
      if (timeMs >= fromMs && timeMs < untilMs) yield* this.#sets[i] ?? [];
    }
  }

  /**
   * In order of time, then of arrival.
   *
   * @throws RangeError where SQLite's index has not what its table has
   */
  all(): StoredRow[] {
    const rows = this.#statements.all.all(this.#id);
    this.#expect(rows.length, this.#times.length);
    return rows;
  }

  /** @throws RangeError as `all` */
  *within({ fromMs, untilMs }: TimeRange): IterableIterator<StoredRow> {
    let found = 0;
    for (const row of this.#statements.within.iterate(this.#id, fromMs, untilMs)) {
      found++;
      yield row;
    }
    let known = 0;
    for (const timeMs of this.#times) if (timeMs >= fromMs && timeMs < untilMs) known++;
    this.#expect(found, known);
  }

  #expect(found: number, known: number): void {
    if (found !== known) throw new RangeError(`series ${this.#id} has ${found} profiles by its index, not ${known}`);
  }

  /**
   * Header and packed data of a profile, whose checksum covers everything that stands beside it.
   *
   * @throws RangeError
   */
  open(row: StoredRow): { readonly header: Header; readonly data: Uint8Array } {
    const known = this.headers.get(row.header);
    if (known === undefined) throw new RangeError(`header ${row.header} is missing`);
    const context = sealedRowContext(this.#epoch, this.#key, known.text, row);
    return { header: known.header, data: unsealed(row.data, context) };
  }
}

function misfit({ id, profiles, first_ms, last_ms }: StoredSeries, found: SeriesRows | undefined): string {
  const there = `${found?.profiles ?? 0} profiles of ${found?.firstMs ?? ''} to ${found?.lastMs ?? ''}`;
  return `series ${id} has ${there}, not ${profiles} of ${first_ms} to ${last_ms}`;
}

function prepare(db: Connection) {
  const columns = 'id, header, time_ms, label_sets, totals, data';
  return {
    series: db.prepare<[number], StoredSeries>(
      'SELECT id, name, labels, first_ms, last_ms, profiles, samples FROM series WHERE epoch = ? AND profiles > 0',
    ),
    header: db.prepare<[number, number], string>('SELECT text FROM header WHERE id = ? AND epoch = ?').pluck() as {
      get(id: number, epoch: number): string | undefined;
    },
    news: db.prepare<[number], { id: number; series: number; header: number; time_ms: number }>(
      'SELECT id, series, header, time_ms FROM profile WHERE id > ? ORDER BY id',
    ),
    all: db.prepare<[number], StoredRow>(`SELECT ${columns} FROM profile WHERE series = ? ORDER BY time_ms, id`),
    since: db.prepare<[number, number], StoredRow>(
      `SELECT ${columns} FROM profile WHERE series = ? AND id > ? ORDER BY id`,
    ),
    within: db.prepare<[number, number, number], StoredRow>(
      `SELECT ${columns} FROM profile WHERE series = ? AND time_ms >= ? AND time_ms < ?`,
    ),
  };
}
