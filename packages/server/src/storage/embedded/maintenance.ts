import { mkdirSync, openSync, closeSync, fsyncSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Block, type BlockFact, blockPath, blocksDir, blocksOf, sealBlocks, writeBlock } from './block/block.ts';
import { DamagedBlock } from './block/block-file.ts';
import type { Input } from './block/group-writer.ts';
import { type Connection, explained, openForWriting } from './database.ts';
import { Epoch, epochsOf } from './epoch-part.ts';
import { Dropping } from './dropping.ts';
import { Expirer } from './expirer.ts';
import type { Part } from './part.ts';
import { Deletion, Expiry, type Retention } from './retention.ts';
import { damagedIds, noteDamage, openListedBlock } from './sources.ts';

const dayMs = 24 * 3_600_000;
/** Blocks of a window of this many days end up as one, so that a month is a handful of files. */
const windowDays = [1, 8] as const;
/**
 * No merge makes a block above this, which takes twelve seconds: meanwhile epochs wait, and whoever asks reads each of them with its dictionary.
 */
const maxMergedBytes = 80 * 1024 * 1024;
/** Where the size is limited no block has more than this part of it, as the oldest one goes as a whole. */
const sizeParts = 16;
/** So many blocks of one window make a merge due at once; fewer, after `quietMs` without a new one. */
const mergeCount = 8;
/** A block is merged with smaller ones that have at least this part of its bytes together. */
const smallestPart = 0.5;
const quietMs = 60_000;
/** An epoch of at most so many days is written by day at once. */
const maxLiveDays = 3;

/**
 * Turns finished epochs into blocks, merges blocks, deletes what is too old: everything that is not urgent. Each step makes a new
 * file, syncs it, and then changes the tables in one transaction, so that it has happened or not at whatever instant the process
 * ends; a file that no table names is deleted at the next start.
 */
export class Maintenance {
  readonly #dataDir: string;
  readonly #db: Connection;
  readonly #expiry: Expiry;
  readonly #expirer: Expirer;
  readonly #maxMergedBytes: number;
  readonly #between: () => void;
  #lastChangeMs = 0;
  #idleVersion = -1;
  #idleUntilMs = 0;

  /**
   * `between`: called between the services of a block, whose dictionaries and sums are dropped then.
   *
   * @throws StorageError
   */
  constructor(dataDir: string, retention: Retention = {}, between: () => void = () => undefined) {
    this.#dataDir = dataDir;
    this.#between = between;
    this.#db = openForWriting(dataDir);
    this.#expiry = new Expiry(retention);
    this.#expirer = new Expirer(dataDir, this.#db, this.#expiry, retention);
    this.#maxMergedBytes = Math.min(maxMergedBytes, (retention.maxBytes ?? Infinity) / sizeParts);
    explained(dataDir, () => {
      mkdirSync(blocksDir(dataDir), { recursive: true });
      this.#deleteStrays();
    });
  }

  /** Does the most urgent thing. False when there was nothing to do. `isFinal`: merges what a later profile may join. */
  step(nowMs: number, isFinal = false): boolean {
    return explained(this.#dataDir, () => {
      // Nothing is looked at while nothing changes, so that a server at rest costs nothing.
      const version = Number(this.#db.pragma('data_version', { simple: true }));
      if (!isFinal && version === this.#idleVersion && nowMs < this.#idleUntilMs) return false;
      if (this.#anything(nowMs, isFinal)) return true;
      this.#idleVersion = version;
      // What became quiet is merged, and what became old deleted, without a change.
      const quietAtMs = this.#lastChangeMs + quietMs;
      this.#idleUntilMs = nowMs <= quietAtMs ? quietAtMs + 1 : nowMs + quietMs;
      return false;
    });
  }

  #anything(nowMs: number, isFinal: boolean): boolean {
    return explained(this.#dataDir, () => {
      if (this.#expirer.delete(nowMs)) {
        this.#deleteStrays();
        return true;
      }
      if (this.#seal(nowMs) || this.#trim(nowMs)) return true;
      const blocks = this.#mergeable();
      const isQuiet = isFinal || nowMs - this.#lastChangeMs > quietMs;
      return this.#split(blocks, isQuiet, nowMs) || this.#merge(blocks, { isQuiet, isFinal }, nowMs);
    });
  }

  /** Whether finished epochs wait to become blocks. */
  get isBehind(): boolean {
    return explained(this.#dataDir, () => this.#finishedEpoch() !== undefined);
  }

  close(): void {
    this.#db.close();
  }

  #finishedEpoch(): number | undefined {
    const latest = Number(this.#db.prepare("SELECT value FROM meta WHERE key = 'epoch'").pluck().get() ?? 0);
    return epochsOf(this.#db).find((one) => one < latest);
  }

  /** The oldest finished epoch becomes a block; the latest is still being written to. */
  #seal(nowMs: number): boolean {
    const epoch = this.#finishedEpoch();
    if (epoch === undefined) return false;
    const part = new Epoch(this.#db, epoch).part();
    const fromMs = Math.min(...part.series.map(({ firstMs }) => firstMs));
    const untilMs = Math.max(...part.series.map(({ lastMs }) => lastMs)) + 1;
    const days = windowsOf([{ fromMs, untilMs }], 1);
    // What came in as it happened lies in a day or two, and need not be split later.
    const isLive = days.length <= maxLiveDays;
    const outputs = isLive
      ? days.map(({ isWithin }) => ({ parts: [part], isWithin }))
      : [{ parts: [part], isWithin: () => true }];
    this.#replace({ old: [], level: isLive ? 1 : 0, outputs, nowMs: -Infinity }, () => {
      this.#db.prepare('DELETE FROM profile WHERE series IN (SELECT id FROM series WHERE epoch = ?)').run(epoch);
      for (const table of ['series', 'header', 'dictionary']) {
        this.#db.prepare(`DELETE FROM ${table} WHERE epoch = ?`).run(epoch);
      }
    });
    part.dictionary.discard();
    this.#shrink();
    this.#lastChangeMs = nowMs;
    return true;
  }

  /** A block that holds some of its profiles longer than it should is written anew without them. */
  #trim(nowMs: number): boolean {
    const overdue = this.#expirer.overdue(nowMs);
    if (overdue === undefined) return false;
    this.#rewrite([overdue], Math.max(overdue.level, 1), nowMs);
    return true;
  }

  /** Blocks fresh from epochs become one for each day. */
  #split(blocks: readonly BlockFact[], isQuiet: boolean, nowMs: number): boolean {
    const fresh = blocks.filter(({ level }) => level === 0);
    if (fresh.length === 0 || (fresh.length < mergeCount && !isQuiet)) return false;
    this.#rewrite(fresh.slice(0, mergeCount * 2), 1, nowMs);
    return true;
  }

  /** Blocks of one window and of like sizes become one, so that a profile is written anew a few times at most, however often epochs end. */
  #merge(
    blocks: readonly BlockFact[],
    { isQuiet, isFinal }: { readonly isQuiet: boolean; readonly isFinal: boolean },
    nowMs: number,
  ): boolean {
    for (const [index, days] of windowDays.entries()) {
      const level = index + 1;
      const windowOf = ({ fromMs }: BlockFact) => Math.floor(fromMs / (days * dayMs));
      const small = blocks.filter(
        (one) => one.level >= 1 && one.level <= level && one.bytes < this.#maxMergedBytes / 2,
      );
      const newest = Math.max(...small.map((one) => Math.floor((one.untilMs - 1) / dayMs)));
      for (const [window, own] of Map.groupBy(small, windowOf)) {
        // A window of several days is merged when it is over, or its days would be merged again and again.
        const isOver = days === 1 || (window + 1) * days <= newest;
        const chosen = likeBlocks(own, isFinal ? 0 : smallestPart, this.#maxMergedBytes);
        const isDue = chosen.length >= 2 && (isQuiet || (days === 1 && chosen.length >= mergeCount));
        if (!isOver || !isDue) continue;
        this.#rewrite(chosen, level, nowMs);
        return true;
      }
    }
    return false;
  }

  #rewrite(facts: readonly BlockFact[], level: number, nowMs: number): void {
    const blocks: Block[] = [];
    try {
      for (const { id } of facts) blocks.push(openListedBlock(this.#dataDir, id));
      const days = windowDays[level - 1] ?? 1;
      const outputs = windowsOf(facts, days).map(({ isWithin }) => ({
        parts: blocks.flatMap((block) => block.groups.map((group) => block.part(group))),
        isWithin,
      }));
      this.#replace({ old: facts, level, outputs, nowMs }, () => undefined);
    } catch (error) {
      if (!(error instanceof DamagedBlock)) throw error;
      noteDamage(this.#dataDir, error);
    } finally {
      for (const block of blocks) block.close();
    }
  }

  /**
   * Writes blocks without what has expired at `nowMs`, then puts them in the place of others in one transaction with `also`.
   */
  #replace({ old, level, outputs, nowMs }: Replacement, also: () => void): void {
    const written: Omit<BlockFact, 'level'>[] = [];
    const deletion = new Deletion();
    let nextId = this.#nextBlockId();
    try {
      for (const { parts, isWithin } of outputs) {
        const id = nextId++;
        const path = blockPath(this.#dataDir, id);
        const dropping = new Dropping(this.#expiry, nowMs, deletion);
        // A block of level 0 lives for a minute or two: the next one has its counts.
        const facts = writeBlock(path, this.#inputs(parts, isWithin, dropping), level > 0);
        if (facts === null) rmSync(path);
        else written.push({ id, ...facts });
      }
      syncDirectory(blocksDir(this.#dataDir));
      const sum = (facts: readonly Omit<BlockFact, 'level'>[], of: 'profiles' | 'bytes') =>
        facts.reduce((total, one) => total + one[of], 0);
      const gone = sum(old, 'profiles');
      const come = sum(written, 'profiles') + deletion.profiles;
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
          sealBlocks(this.#db);
          this.#expirer.count(deletion, Math.max(0, sum(old, 'bytes') - sum(written, 'bytes')));
          also();
        })
        .immediate();
    } catch (error) {
      this.#deleteStrays();
      throw error;
    }
    for (const { id } of old) rmSync(blockPath(this.#dataDir, id), { force: true });
  }

  *#inputs(...[parts, isWithin, dropping]: Parameters<typeof inputsByService>): ReturnType<typeof inputsByService> {
    for (const inputs of inputsByService(parts, isWithin, dropping)) {
      yield inputs;
      for (const { part } of inputs[1]) part.release?.();
      this.#between();
    }
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

interface Replacement {
  readonly old: readonly BlockFact[];
  readonly level: number;
  readonly outputs: readonly { readonly parts: readonly Part[]; readonly isWithin: (timeMs: number) => boolean }[];
  readonly nowMs: number;
}

/** The most blocks of which each has at most as many bytes as the smaller ones divided by `part`, and all of them at most `maxBytes`. */
function likeBlocks(blocks: readonly BlockFact[], part: number, maxBytes: number): readonly BlockFact[] {
  const sorted = blocks.toSorted((a, b) => a.bytes - b.bytes);
  let most: readonly BlockFact[] = [];
  for (let first = 0; first < sorted.length - most.length; first++) {
    let bytes = 0;
    let end = first;
    for (; end < sorted.length; end++) {
      const own = sorted[end]?.bytes ?? 0;
      if (bytes + own > maxBytes || (end > first && own * part > bytes)) break;
      bytes += own;
    }
    if (end - first > most.length) most = sorted.slice(first, end);
  }
  return most;
}

/** The windows of so many days in which something lies, in their order. */
function windowsOf(ranges: readonly Pick<BlockFact, 'fromMs' | 'untilMs'>[], days: number) {
  const windows = new Set<number>();
  for (const { fromMs, untilMs } of ranges) {
    const last = Math.floor((untilMs - 1) / (days * dayMs));
    for (let window = Math.floor(fromMs / (days * dayMs)); window <= last; window++) {
      windows.add(window);
    }
  }
  return [...windows]
    .sort((a, b) => a - b)
    .map((window) => ({ isWithin: (timeMs: number) => Math.floor(timeMs / (days * dayMs)) === window }));
}

/** The profiles of each service, in order of its name. Profiles without one are those of the service ''. */
function* inputsByService(
  parts: readonly Part[],
  isWithin: (timeMs: number) => boolean,
  dropping: Dropping,
): IterableIterator<readonly [service: string, inputs: readonly Input[]]> {
  const all = parts.flatMap((part) => part.series.map((series) => ({ part, series })));
  const byService = Map.groupBy(all, ({ series }) => series.labels['service_name'] ?? '');
  for (const [service, own] of [...byService].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const inputs: Input[] = [];
    for (const { part, series } of own) {
      const rows = series.rows();
      const numbers = dropping.rest(series, rows, isWithin);
      const kept = numbers.flatMap((number) => rows[number] ?? []);
      if (numbers.length > 0) inputs.push({ part, series, numbers, rows: kept });
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
