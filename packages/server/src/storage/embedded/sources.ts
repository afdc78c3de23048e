import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { DamagedPart, TimeRange } from '../storage.ts';
import { Block, type BlockFact, blockPath, blocksDir, blocksOf } from './block/block.ts';
import { DamagedBlock } from './block/block-file.ts';
import { KeptDictionaries } from './block/kept-dictionaries.ts';
import type { Connection } from './database.ts';
import { checkCount, Epoch, epochsOf } from './epoch-part.ts';
import type { Part } from './part.ts';

/** What one reader has open. Its memory is bounded by what blocks it keeps, see `maxHeldBytes`. */
export class Sources {
  readonly #dataDir: string;
  readonly #db: Connection;
  readonly #epochs = new Map<number, Epoch>();
  /** In order of use, the latest last. */
  readonly #blocks = new Map<number, Block>();
  readonly #dictionaries = new KeptDictionaries(maxDictionaryBytes);

  constructor(dataDir: string, db: Connection) {
    this.#dataDir = dataDir;
    this.#db = db;
  }

  /**
   * The parts with a profile in the range, of the transaction at hand. `isWanted` is asked by the label `service_name`,
   * '' for profiles that have none.
   *
   * @throws DamagedBlock, and an error with the code ENOENT when a block was merged away meanwhile
   */
  *parts({ fromMs, untilMs }: TimeRange, isWanted: (service: string) => boolean): IterableIterator<Part> {
    const isWithin = (firstMs: number, lastMs: number) => firstMs < untilMs && lastMs >= fromMs;
    const facts = this.blocks();
    this.#closeAllBut(facts);
    for (const fact of facts) {
      if (!isWithin(fact.fromMs, fact.untilMs - 1)) continue;
      const block = this.#open(fact);
      for (const group of block.groups) {
        if (isWithin(group.firstMs, group.lastMs) && isWanted(group.service)) yield block.part(group);
      }
    }
    const epochs = epochsOf(this.#db);
    for (const [number, epoch] of this.#epochs) {
      if (epochs.includes(number)) continue;
      epoch.discard();
      this.#epochs.delete(number);
    }
    let profiles = 0;
    for (const epoch of epochs) {
      const known = this.#epochs.get(epoch) ?? new Epoch(this.#db, epoch);
      this.#epochs.set(epoch, known);
      const part = known.part();
      profiles += part.series.reduce((sum, one) => sum + one.profiles, 0);
      yield part;
    }
    checkCount(this.#db, profiles);
  }

  /** The blocks that can be read. */
  blocks(): BlockFact[] {
    const damaged = damagedIds(this.#dataDir);
    return blocksOf(this.#db).filter(({ id }) => !damaged.has(id));
  }

  close(): void {
    this.#closeAllBut([]);
  }

  #open({ id }: BlockFact): Block {
    const block = this.#blocks.get(id) ?? openBlock(this.#dataDir, id, this.#dictionaries);
    this.#blocks.delete(id);
    let bytes = block.heldBytes;
    for (const one of this.#blocks.values()) bytes += one.heldBytes;
    for (const [first, one] of this.#blocks) {
      if (bytes <= maxHeldBytes && this.#blocks.size < maxKeptBlocks) break;
      bytes -= one.heldBytes;
      one.close();
      this.#blocks.delete(first);
    }
    this.#blocks.set(id, block);
    return block;
  }

  #closeAllBut(facts: readonly BlockFact[]): void {
    const ids = new Set(facts.map(({ id }) => id));
    for (const [id, block] of this.#blocks) {
      if (ids.has(id)) continue;
      block.close();
      this.#blocks.delete(id);
    }
  }
}

/**
 * Blocks stay open up to this much in memory, that of half a million profiles of hosts that come and go every day: a question about more of them reads their directories and gives nodes to their
 * stacks each time.
 */
const maxHeldBytes = 48 * 1024 * 1024;

/** Those of a service for a day take some three megabytes. */
const maxDictionaryBytes = 32 * 1024 * 1024;

/** Each is a file descriptor. */
const maxKeptBlocks = 64;

/** @throws DamagedBlock that names the file; ENOENT */
export function openBlock(dataDir: string, id: number, kept: KeptDictionaries | null = null): Block {
  return new Block(blockPath(dataDir, id), kept);
}

/**
 * For the one thread that deletes block files: there a file that is not where the list has it is lost.
 *
 * @throws DamagedBlock
 */
export function openListedBlock(dataDir: string, id: number): Block {
  try {
    return openBlock(dataDir, id);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    throw new DamagedBlock(`${blockPath(dataDir, id)} is missing`, { cause: error });
  }
}

const damagedSuffix = '.damaged';
/** What this thread found damaged and could not note on disk, by the block's path. */
const unnoted = new Map<string, string>();

/** Notes that a block cannot be read: from now on answers are given without it. On disk where that takes it, for all threads. */
export function noteDamage(dataDir: string, error: DamagedBlock): void {
  const id = /(\d+)\.block/.exec(error.message)?.[1];
  if (id === undefined) return;
  const path = blockPath(dataDir, Number(id));
  try {
    writeFileSync(`${path}${damagedSuffix}`, error.message);
  } catch (refusal) {
    // A full or read-only disk must not keep the others from being read.
    if (!(refusal instanceof Error && 'syscall' in refusal)) throw refusal;
    unnoted.set(path, error.message);
  }
}

export function damagedIds(dataDir: string): Set<number> {
  const names = existsSync(blocksDir(dataDir)) ? readdirSync(blocksDir(dataDir)) : [];
  const found = names.filter((name) => name.endsWith(damagedSuffix));
  for (const path of unnoted.keys()) if (dirname(path) === blocksDir(dataDir)) found.push(basename(path));
  return new Set(found.map((name) => Number.parseInt(name, 10)));
}

export function damagedParts(dataDir: string, db: Connection): DamagedPart[] {
  const damaged = damagedIds(dataDir);
  return blocksOf(db)
    .filter(({ id }) => damaged.has(id))
    .map(({ id, fromMs, untilMs, profiles }) => {
      const path = blockPath(dataDir, id);
      const reason = unnoted.get(path) ?? readFileSync(path + damagedSuffix, 'utf8');
      return { file: basename(path), reason, fromMs, untilMs, profiles };
    });
}
