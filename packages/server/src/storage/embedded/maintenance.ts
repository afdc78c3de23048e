import { mkdirSync, openSync, closeSync, fsyncSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Block, type BlockFact, blockPath, blocksDir, blocksOf, writeBlock } from './block/block.ts';
import { DamagedBlock } from './block/block-file.ts';
import type { Input } from './block/group-writer.ts';
import { type Connection, explained, openForWriting } from './database.ts';
import { EpochDictionary, epochPart, epochsOf } from './epoch-part.ts';
import type { Part } from './part.ts';
import { damagedIds, noteDamage, openBlock } from './sources.ts';

export interface Retention {
  /** Profiles older than this are deleted, a block at a time. */
  readonly maxAgeMs?: number;
  /** The oldest blocks are deleted while the store is larger. */
  readonly maxBytes?: number;
}

const dayMs = 24 * 3_600_000;
/** Blocks of a window of this many days end up as one, so that a month is a handful of files. */
const windowDays = [1, 8] as const;
/** A block above this is not merged any more. */
const maxMergedBytes = 256 * 1024 * 1024;
/** So many blocks of one window make a merge due at once; fewer, after `quietMs` without a new one. */
const mergeCount = 8;
const quietMs = 60_000;

/**
 * Turns finished epochs into blocks, merges blocks, deletes what is too old: everything that is not urgent. Each step makes a new
 * file, syncs it, and then changes the tables in one transaction, so that it has happened or not at whatever instant the process
 * ends; a file that no table names is deleted at the next start.
 */
export class Maintenance {
  readonly #dataDir: string;
  readonly #db: Connection;
  readonly #retention: Retention;
  #lastChangeMs = 0;

  /** @throws StorageError */
  constructor(dataDir: string, retention: Retention = {}) {
    this.#dataDir = dataDir;
    this.#retention = retention;
    this.#db = openForWriting(dataDir);
    explained(dataDir, () => {
      mkdirSync(blocksDir(dataDir), { recursive: true });
      this.#deleteStrays();
    });
  }

  /** Does the most urgent thing. False when there was nothing to do. `isFinal`: merges what a later profile may join. */
  step(nowMs: number, isFinal = false): boolean {
    return explained(this.#dataDir, () => {
      if (this.#deleteExpired(nowMs) || this.#seal(nowMs)) return true;
      const blocks = this.#mergeable();
      const isQuiet = isFinal || nowMs - this.#lastChangeMs > quietMs;
      return this.#split(blocks, isQuiet) || this.#merge(blocks, isQuiet);
    });
  }

  close(): void {
    this.#db.close();
  }

  /** The oldest finished epoch becomes a block; the latest is still being written to. */
  #seal(nowMs: number): boolean {
    const latest = Number(this.#db.prepare("SELECT value FROM meta WHERE key = 'epoch'").pluck().get() ?? 0);
    const epoch = epochsOf(this.#db).find((one) => one < latest);
    if (epoch === undefined) return false;
    const dictionary = new EpochDictionary();
    dictionary.follow(this.#db, epoch);
    const part = epochPart(this.#db, epoch, dictionary);
    this.#replace([], 0, [{ parts: [part], isWithin: () => true }], () => {
      this.#db.prepare('DELETE FROM profile WHERE series IN (SELECT id FROM series WHERE epoch = ?)').run(epoch);
      for (const table of ['series', 'header', 'dictionary']) {
        this.#db.prepare(`DELETE FROM ${table} WHERE epoch = ?`).run(epoch);
      }
    });
    this.#shrink();
    this.#lastChangeMs = nowMs;
    return true;
  }

  /** Blocks fresh from epochs become one for each day. */
  #split(blocks: readonly BlockFact[], isQuiet: boolean): boolean {
    const fresh = blocks.filter(({ level }) => level === 0);
    if (fresh.length === 0 || (fresh.length < mergeCount && !isQuiet)) return false;
    this.#rewrite(fresh.slice(0, mergeCount * 2), 1);
    return true;
  }

  /** Blocks of one window become one. */
  #merge(blocks: readonly BlockFact[], isQuiet: boolean): boolean {
    for (const [index, days] of windowDays.entries()) {
      const level = index + 1;
      const windowOf = ({ fromMs }: BlockFact) => Math.floor(fromMs / (days * dayMs));
      const small = blocks.filter((one) => one.level >= 1 && one.level <= level && one.bytes < maxMergedBytes / 2);
      const newest = Math.max(...small.map((one) => Math.floor((one.untilMs - 1) / dayMs)));
      for (const [window, own] of Map.groupBy(small, windowOf)) {
        // A window of several days is merged when it is over, or its days would be merged again and again.
        const isOver = days === 1 || (window + 1) * days <= newest;
        const isDue =
          days === 1 ? own.length >= mergeCount || (own.length >= 2 && isQuiet) : own.length >= 2 && isQuiet;
        if (!isOver || !isDue) continue;
        let bytes = 0;
        const chosen = own
          .toSorted((a, b) => a.bytes - b.bytes)
          .filter((one) => (bytes += one.bytes) <= maxMergedBytes);
        if (chosen.length < 2) continue;
        this.#rewrite(chosen, level);
        return true;
      }
    }
    return false;
  }

  #rewrite(facts: readonly BlockFact[], level: number): void {
    const blocks: Block[] = [];
    try {
      for (const { id } of facts) blocks.push(openBlock(this.#dataDir, id));
      const days = windowDays[level - 1] ?? 1;
      const windows = new Set<number>();
      for (const { fromMs, untilMs } of facts) {
        const last = Math.floor((untilMs - 1) / (days * dayMs));
        for (let window = Math.floor(fromMs / (days * dayMs)); window <= last; window++) windows.add(window);
      }
      const outputs = [...windows]
        .sort((a, b) => a - b)
        .map((window) => ({
          parts: blocks.flatMap((block) => block.groups.map((group) => block.part(group))),
          isWithin: (timeMs: number) => Math.floor(timeMs / (days * dayMs)) === window,
        }));
      this.#replace(facts, level, outputs, () => undefined);
    } catch (error) {
      if (!(error instanceof DamagedBlock)) throw error;
      noteDamage(this.#dataDir, error);
    } finally {
      for (const block of blocks) block.close();
    }
  }

  /** Writes blocks, then puts them in the place of others in one transaction with `also`. */
  #replace(
    old: readonly BlockFact[],
    level: number,
    outputs: readonly { readonly parts: readonly Part[]; readonly isWithin: (timeMs: number) => boolean }[],
    also: () => void,
  ): void {
    const written: Omit<BlockFact, 'level'>[] = [];
    let nextId = this.#nextBlockId();
    try {
      for (const { parts, isWithin } of outputs) {
        const id = nextId++;
        const path = blockPath(this.#dataDir, id);
        // A block of level 0 lives for a minute or two: the next one has its counts.
        const facts = writeBlock(path, inputsByService(parts, isWithin), level > 0);
        if (facts === null) rmSync(path);
        else written.push({ id, ...facts });
      }
      syncDirectory(blocksDir(this.#dataDir));
      const gone = old.reduce((sum, { profiles }) => sum + profiles, 0);
      const come = written.reduce((sum, { profiles }) => sum + profiles, 0);
      if (old.length > 0 && gone !== come)
        throw new Error(`${gone} profiles would become ${come}: nothing was changed`);
      this.#db
        .transaction(() => {
          const insert = this.#db.prepare('INSERT INTO block VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)');
          for (const one of written) {
            const { id, fromMs, untilMs, endMs, lastId, profiles, samples, bytes } = one;
            insert.run(id, level, fromMs, untilMs, endMs, lastId, profiles, samples, bytes);
          }
          for (const { id } of old) this.#db.prepare('DELETE FROM block WHERE id = ?').run(id);
          also();
        })
        .immediate();
    } catch (error) {
      this.#deleteStrays();
      throw error;
    }
    for (const { id } of old) rmSync(blockPath(this.#dataDir, id), { force: true });
  }

  #deleteExpired(nowMs: number): boolean {
    const blocks = blocksOf(this.#db);
    const { maxAgeMs, maxBytes } = this.#retention;
    const tooOld = maxAgeMs === undefined ? [] : blocks.filter(({ untilMs }) => untilMs <= nowMs - maxAgeMs);
    if (tooOld.length > 0) return this.#delete(tooOld, 'age');
    let bytes = blocks.reduce((sum, one) => sum + one.bytes, 0);
    if (maxBytes === undefined || bytes <= maxBytes) return false;
    const tooMany: BlockFact[] = [];
    for (const one of blocks.toSorted((a, b) => a.untilMs - b.untilMs)) {
      if (bytes <= maxBytes) break;
      tooMany.push(one);
      bytes -= one.bytes;
    }
    return this.#delete(tooMany, 'size');
  }

  #delete(blocks: readonly BlockFact[], cause: 'age' | 'size'): boolean {
    const count = this.#db.prepare(
      `INSERT INTO deleted VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET profiles = profiles + excluded.profiles,
       samples = samples + excluded.samples, bytes = bytes + excluded.bytes, until_ms = max(until_ms, excluded.until_ms)`,
    );
    this.#db
      .transaction(() => {
        for (const { id, profiles, samples, bytes, endMs } of blocks) {
          this.#db.prepare('DELETE FROM block WHERE id = ?').run(id);
          count.run(cause, profiles, samples, bytes, endMs);
        }
      })
      .immediate();
    this.#deleteStrays();
    return true;
  }

  #mergeable(): BlockFact[] {
    const damaged = damagedIds(this.#dataDir);
    return blocksOf(this.#db).filter(({ id }) => !damaged.has(id));
  }

  /** Ids are not used again: a reader may have the file of the old one open. */
  #nextBlockId(): number {
    const last = this.#db.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'block'").pluck().get();
    return Number(last ?? 0) + 1;
  }

  #deleteStrays(): void {
    const ids = new Set(blocksOf(this.#db).map(({ id }) => id));
    const dir = blocksDir(this.#dataDir);
    for (const name of readdirSync(dir)) {
      const isOurs = name.endsWith('.block') || name.endsWith('.block.damaged');
      if (isOurs && !ids.has(Number.parseInt(name, 10))) rmSync(join(dir, name), { force: true });
    }
  }

  /** Gives back to the file system what an epoch took. */
  #shrink(): void {
    const isIncremental = this.#db.pragma('auto_vacuum', { simple: true }) === 2;
    if (isIncremental) this.#db.pragma('incremental_vacuum');
    else {
      // A data base of format 1 was made without; this once it is written anew.
      this.#db.pragma('auto_vacuum = INCREMENTAL');
      this.#db.exec('VACUUM');
    }
    this.#db.pragma('wal_checkpoint(TRUNCATE)');
  }
}

/** The profiles of each service, in order of its name. Profiles without one are those of the service ''. */
function* inputsByService(
  parts: readonly Part[],
  isWithin: (timeMs: number) => boolean,
): IterableIterator<readonly [service: string, inputs: readonly Input[]]> {
  const all = parts.flatMap((part) => part.series.map((series) => ({ part, series })));
  const byService = Map.groupBy(all, ({ series }) => series.labels['service_name'] ?? '');
  for (const [service, own] of [...byService].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const inputs: Input[] = [];
    for (const { part, series } of own) {
      const rows = series.rows();
      const numbers = [...rows.keys()].filter((i) => isWithin(rows[i]?.timeMs ?? 0));
      if (numbers.length > 0)
        inputs.push({ part, series, numbers, rows: rows.filter(({ timeMs }) => isWithin(timeMs)) });
    }
    yield [service, inputs];
  }
}

function syncDirectory(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
