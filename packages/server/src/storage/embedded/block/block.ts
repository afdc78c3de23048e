import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { type Connection, soundly, statement } from '../database.ts';
import { ByteReader, ByteWriter } from '../bytes.ts';
import { BlockFileReader, BlockFileWriter, DamagedBlock, putRef, takeRef } from './block-file.ts';
import { BlockPart, type GroupRefs } from './block-part.ts';
import { GroupWriter, type Input, type WrittenGroup } from './group-writer.ts';
import type { KeptDictionaries } from './kept-dictionaries.ts';

/** A row of the table of blocks. */
export interface BlockFact {
  readonly id: number;
  /** How often its profiles were merged with others. */
  readonly level: number;
  /** Times of the first profile and after the last; end of the one that ends last. */
  readonly fromMs: number;
  readonly untilMs: number;
  readonly endMs: number;
  readonly lastId: number;
  readonly profiles: number;
  readonly samples: number;
  readonly bytes: number;
}

/** @throws StorageError `damaged` when the list is not what was written last */
export function blocksOf(db: Connection): BlockFact[] {
  const blocks = listedBlocks(db);
  const said = statement(db, "SELECT value FROM meta WHERE key = 'blocks'").pluck().get();
  return soundly(db, () => {
    if (said !== undefined && said !== checksumOf(blocks))
      throw new RangeError('the checksum of its list of blocks is wrong');
    return blocks;
  });
}

/** The same without a look at the checksum. */
export function listedBlocks(db: Connection): BlockFact[] {
  return statement<[], BlockFact>(
    db,
    `SELECT id, level, from_ms AS fromMs, until_ms AS untilMs, end_ms AS endMs, last_id AS lastId, profiles, samples, bytes
     FROM block ORDER BY from_ms, id`,
  ).all();
}

/** Within the transaction that changes the list, after the change. */
export function sealBlocks(db: Connection): void {
  db.prepare("INSERT INTO meta VALUES ('blocks', ?) ON CONFLICT DO UPDATE SET value = excluded.value").run(
    checksumOf(listedBlocks(db)),
  );
}

function checksumOf(blocks: readonly BlockFact[]): string {
  return crc32(JSON.stringify(blocks)).toString(16);
}

export function blocksDir(dataDir: string): string {
  return join(dataDir, 'blocks');
}

export function blockPath(dataDir: string, id: number): string {
  return join(blocksDir(dataDir), `${id}.block`);
}

/** An open block. */
export class Block {
  readonly groups: readonly GroupRefs[];
  readonly #file: BlockFileReader;
  readonly #parts = new Map<GroupRefs, BlockPart>();

  readonly #kept: KeptDictionaries | null;

  /**
   * `kept`: bounds what is unpacked of it.
   *
   * @throws DamagedBlock
   */
  constructor(path: string, kept: KeptDictionaries | null = null) {
    this.#file = new BlockFileReader(path);
    this.#kept = kept;
    try {
      this.groups = readDirectory(this.#file);
    } catch (error) {
      this.#file.close();
      throw error;
    }
  }

  /** @throws DamagedBlock */
  part(group: GroupRefs): BlockPart {
    let part = this.#parts.get(group);
    if (part === undefined) {
      part = new BlockPart(this.#file, group, this.#kept);
      this.#parts.set(group, part);
    }
    return part;
  }

  /** About so much memory is held while it is open, without dictionaries. */
  get heldBytes(): number {
    let bytes = 0;
    for (const part of this.#parts.values()) bytes += part.heldBytes;
    return bytes;
  }

  close(): void {
    for (const part of this.#parts.values()) part.release();
    this.#file.close();
  }
}

function readDirectory(file: BlockFileReader): GroupRefs[] {
  try {
    const input = new ByteReader(file.directory());
    const groups: GroupRefs[] = [];
    for (let rest = input.varint(); rest > 0; rest--) {
      groups.push({
        service: input.text(),
        firstMs: input.varint(),
        lastMs: input.varint(),
        symbols: takeRef(input),
        stacks: takeRef(input),
        index: takeRef(input),
      });
    }
    return groups;
  } catch (error) {
    if (error instanceof RangeError)
      throw new DamagedBlock(`${file.path} is damaged: ${error.message}`, { cause: error });
    throw error;
  }
}

/**
 * Writes a new block file from the inputs of each service, which are made when it is their turn. Null: there was nothing.
 * `keepsCounts`: with counts by function beside the profiles.
 */
export function writeBlock(
  path: string,
  groups: Iterable<readonly [service: string, inputs: readonly Input[]]>,
  keepsCounts = true,
): Omit<BlockFact, 'id' | 'level'> | null {
  const file = new BlockFileWriter(path);
  try {
    const written: (WrittenGroup & { readonly service: string })[] = [];
    for (const [service, inputs] of groups) {
      if (inputs.some(({ rows }) => rows.length > 0))
        written.push({ service, ...new GroupWriter(file).write(inputs, keepsCounts) });
    }
    if (written.length === 0) return null;
    const out = new ByteWriter();
    out.varint(written.length);
    for (const { service, firstMs, lastMs, symbols, stacks, index } of written) {
      out.text(service);
      out.varint(firstMs);
      out.varint(lastMs);
      for (const ref of [symbols, stacks, index]) putRef(out, ref);
    }
    const sum = (of: (group: WrittenGroup) => number) => written.reduce((total, group) => total + of(group), 0);
    return {
      fromMs: Math.min(...written.map(({ firstMs }) => firstMs)),
      untilMs: Math.max(...written.map(({ lastMs }) => lastMs)) + 1,
      endMs: Math.max(...written.map(({ endMs }) => endMs)),
      lastId: Math.max(...written.map(({ lastId }) => lastId)),
      profiles: sum(({ profiles }) => profiles),
      samples: sum(({ samples }) => samples),
      bytes: file.finish(out.take()),
    };
  } finally {
    file.close();
  }
}
