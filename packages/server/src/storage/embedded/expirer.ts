import { rmSync } from 'node:fs';
import { type Block, type BlockFact, blockPath, blocksOf, sealBlocks } from './block/block.ts';
import { DamagedBlock } from './block/block-file.ts';
import { type Connection, isDiskFull } from './database.ts';
import { parseHeader } from './header.ts';
import { Deletion, type Expiry, type Retention, type RuleFact, surveySeries } from './retention.ts';
import { parseLabels, unchecked, unsealedText } from './sealed-record.ts';
import { damagedIds, noteDamage, openListedBlock } from './sources.ts';
import { decodeTotals, unpack, VectorReader } from './vector.ts';

/** Finds what retention deletes, and deletes what needs no file to be written anew. */
export class Expirer {
  readonly #dataDir: string;
  readonly #db: Connection;
  readonly #expiry: Expiry;
  readonly #maxBytes: number;
  /** What is in a block for each rule: blocks never change. */
  readonly #surveys = new Map<number, readonly RuleFact[]>();

  constructor(dataDir: string, db: Connection, expiry: Expiry, { maxBytes = Infinity }: Retention) {
    this.#dataDir = dataDir;
    this.#db = db;
    this.#expiry = expiry;
    this.#maxBytes = maxBytes;
  }

  /** Deletes blocks that have expired as a whole, the oldest ones while there are too many bytes, and rows of epochs. */
  delete(nowMs: number): boolean {
    return this.#deleteExpiredBlocks(nowMs) || this.#deleteForSize() || this.#deleteRows(nowMs);
  }

  /** A block that keeps some profiles longer than it should. */
  overdue(nowMs: number): BlockFact | undefined {
    if (this.#expiry.isEmpty) return undefined;
    const damaged = damagedIds(this.#dataDir);
    return blocksOf(this.#db).find(
      (fact) =>
        !damaged.has(fact.id) &&
        this.#survey(fact)?.some(({ rule, firstMs }) => firstMs < this.#expiry.overdueMs(rule, nowMs)) === true,
    );
  }

  /** Within a transaction. */
  count(deletion: Deletion, bytes: number): void {
    const count = this.#db.prepare(
      `INSERT INTO deleted VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET profiles = profiles + excluded.profiles,
       samples = samples + excluded.samples, bytes = bytes + excluded.bytes, until_ms = max(until_ms, excluded.until_ms)`,
    );
    for (const { cause, profiles, samples, bytes: own, untilMs } of deletion.facts(bytes)) {
      count.run(cause, profiles, samples, own, untilMs);
    }
  }

  #deleteExpiredBlocks(nowMs: number): boolean {
    if (this.#expiry.isEmpty) return false;
    const damaged = damagedIds(this.#dataDir);
    const gone: BlockFact[] = [];
    const deletion = new Deletion();
    for (const fact of blocksOf(this.#db)) {
      if (damaged.has(fact.id)) {
        // Whose profiles these were is not known: it goes when nothing in it would be kept.
        if (fact.untilMs > nowMs - this.#expiry.longestAgeMs) continue;
        deletion.add('age', fact.profiles, fact.samples, fact.endMs);
      } else {
        const survey = this.#survey(fact);
        const isExpired = survey?.every(({ rule, lastMs }) => lastMs < this.#expiry.cutoffMs(rule, nowMs)) === true;
        if (survey === null || !isExpired) continue;
        for (const { rule, profiles, samples, endMs } of survey)
          deletion.add(this.#expiry.causeOf(rule), profiles, samples, endMs);
      }
      gone.push(fact);
    }
    return gone.length > 0 && this.#deleteBlocks(gone, deletion);
  }

  /** The data base itself stays small: an epoch at most waits in it to become a block. */
  #deleteForSize(): boolean {
    if (this.#maxBytes === Infinity) return false;
    const pragma = (name: string) => Number(this.#db.pragma(name, { simple: true }));
    let bytes = (pragma('page_count') - pragma('freelist_count')) * pragma('page_size');
    const blocks = blocksOf(this.#db);
    for (const one of blocks) bytes += one.bytes;
    const gone: BlockFact[] = [];
    const deletion = new Deletion();
    for (const one of blocks.toSorted((a, b) => a.untilMs - b.untilMs)) {
      if (bytes <= this.#maxBytes) break;
      gone.push(one);
      deletion.add('size', one.profiles, one.samples, one.endMs);
      bytes -= one.bytes;
    }
    return gone.length > 0 && this.#deleteBlocks(gone, deletion);
  }

  #deleteBlocks(blocks: readonly BlockFact[], deletion: Deletion): true {
    const bytes = blocks.reduce((sum, one) => sum + one.bytes, 0);
    const removeFiles = () => {
      for (const { id } of blocks) rmSync(blockPath(this.#dataDir, id), { force: true });
    };
    try {
      this.#db
        .transaction(() => {
          for (const { id } of blocks) this.#db.prepare('DELETE FROM block WHERE id = ?').run(id);
          sealBlocks(this.#db);
          this.count(deletion, bytes);
        })
        .immediate();
    } catch (error) {
      // A full disk has no room to say what is deleted: the files make it, and the next step says it.
      if (isDiskFull(error)) removeFiles();
      throw error;
    }
    removeFiles();
    for (const { id } of blocks) this.#surveys.delete(id);
    return true;
  }

  /** Rows of epochs that should be gone, those of the one being written to included: its series stay. */
  #deleteRows(nowMs: number): boolean {
    if (this.#expiry.isEmpty) return false;
    const series = this.#db
      .prepare<[], { id: number; epoch: number; name: string; labels: string; first_ms: number }>(
        'SELECT id, epoch, name, labels, first_ms FROM series WHERE profiles > 0',
      )
      .all()
      .map(({ id, epoch, name, labels, first_ms }) => ({
        id,
        firstMs: first_ms,
        rule: this.#expiry.ruleOf({ name, labels: parseLabels(unsealedText(labels, [String(epoch), name])) }),
      }));
    const overdue = series.filter(({ rule, firstMs }) => firstMs < this.#expiry.overdueMs(rule, nowMs));
    if (overdue.length === 0) return false;
    this.#db
      .transaction(() => {
        const deletion = new Deletion();
        let bytes = 0;
        for (const { id, rule } of overdue) bytes += this.#deleteRowsOf(id, rule, nowMs, deletion);
        this.count(deletion, bytes);
      })
      .immediate();
    return true;
  }

  #deleteRowsOf(series: number, rule: number, nowMs: number, deletion: Deletion): number {
    const cutoffMs = this.#expiry.cutoffMs(rule, nowMs);
    const rows = this.#db
      .prepare<
        [number, number],
        { time_ms: number; totals: Uint8Array; data: Uint8Array; bytes: number; text: string; epoch: number }
      >(
        `SELECT time_ms, totals, data, length(label_sets) + length(totals) + length(data) AS bytes, header.text AS text, header.epoch AS epoch
         FROM profile JOIN header ON header.id = profile.header WHERE series = ? AND time_ms < ?`,
      )
      .all(series, cutoffMs);
    let [samples, bytes] = [0, 0];
    for (const row of rows) {
      const own = decodeTotals(
        row.totals,
        parseHeader(unsealedText(row.text, [String(row.epoch)])).sampleTypes.length,
      ).samples;
      const { durationNanos } = new VectorReader(unpack(unchecked(row.data)));
      deletion.add(this.#expiry.causeOf(rule), 1, own, row.time_ms + Math.max(0, Number(durationNanos / 1_000_000n)));
      samples += own;
      bytes += row.bytes;
    }
    this.#db.prepare('DELETE FROM profile WHERE series = ? AND time_ms < ?').run(series, cutoffMs);
    // 2^53 - 1 stands for "none yet", as the writer makes a series.
    this.#db
      .prepare(
        `UPDATE series SET profiles = profiles - ?, samples = samples - ?, first_ms =
         coalesce((SELECT min(time_ms) FROM profile WHERE series = ?), 9007199254740991) WHERE id = ?`,
      )
      .run(rows.length, samples, series, series);
    return bytes;
  }

  /** Null when the block turns out to be damaged. */
  #survey(fact: BlockFact): readonly RuleFact[] | null {
    if (this.#expiry.isUniform) return [{ rule: 0, ...fact, firstMs: fact.fromMs, lastMs: fact.untilMs - 1 }];
    const known = this.#surveys.get(fact.id);
    if (known !== undefined) return known;
    let block: Block | null = null;
    try {
      const opened = openListedBlock(this.#dataDir, fact.id);
      block = opened;
      const found = surveySeries(
        this.#expiry,
        opened.groups.flatMap((group) => opened.part(group).series),
      );
      this.#surveys.set(fact.id, found);
      return found;
    } catch (error) {
      if (!(error instanceof DamagedBlock)) throw error;
      noteDamage(this.#dataDir, error);
      return null;
    } finally {
      block?.close();
    }
  }
}
