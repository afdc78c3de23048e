import {
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { StorageError } from '../storage.ts';
import { blockPath, blocksDir, blocksOf } from './block/block.ts';
import { explained, lockDataDir, openForReading } from './database.ts';

export interface Copied {
  readonly blocks: number;
  readonly bytes: number;
}

/** Data bases that other rooms keep in the directory: findings. */
const beside = ['findings.db'];

/** A block may be merged away while it is about to be copied: then the list is taken anew, so often at most. */
const maxAttempts = 10;

/**
 * Copies a store, of which a server may be making use, as it is at one instant. Blocks that an earlier backup in `targetDir`
 * has are not copied again, since they never change.
 *
 * @throws StorageError `unavailable`
 */
export async function backUpStore(dataDir: string, targetDir: string): Promise<Copied> {
  try {
    for (let attempt = 1; ; attempt++) {
      explained(targetDir, () => mkdirSync(blocksDir(targetDir), { recursive: true }));
      const db = openForReading(dataDir);
      try {
        const target = join(targetDir, 'everflame.db');
        await db.backup(target);
        sync(target);
        sync(targetDir);
      } finally {
        db.close();
      }
      try {
        const copied = copyBlocks(dataDir, targetDir);
        await backUpBeside(dataDir, targetDir);
        return copied;
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT') || attempt === maxAttempts)
          throw error;
      }
    }
  } catch (error) {
    return explained(targetDir, () => {
      throw error;
    });
  }
}

/**
 * Makes a store in `dataDir`, which must have none, of a backup.
 *
 * @throws StorageError `unavailable`, `locked`, `newer_format`
 */
export function restoreStore(backupDir: string, dataDir: string): Copied {
  return explained(dataDir, () => {
    openForReading(backupDir).close();
    if (existsSync(join(dataDir, 'everflame.db'))) {
      throw new StorageError('unavailable', `${dataDir} has a store already: give an empty --data-dir`);
    }
    const lock = lockDataDir(dataDir);
    try {
      mkdirSync(blocksDir(dataDir), { recursive: true });
      // The data base comes last: without it there is no store, and what was copied is copied again.
      const copied = copyBlocks(backupDir, dataDir, backupDir);
      for (const name of beside) {
        if (existsSync(join(backupDir, name))) copyDurably(join(backupDir, name), join(dataDir, name));
      }
      copyDurably(join(backupDir, 'everflame.db'), join(dataDir, 'everflame.db'));
      sync(dataDir);
      return copied;
    } finally {
      lock.close();
    }
  });
}

async function backUpBeside(dataDir: string, targetDir: string): Promise<void> {
  for (const name of beside) {
    if (!existsSync(join(dataDir, name))) continue;
    const db = new Database(join(dataDir, name), { readonly: true, fileMustExist: true });
    try {
      await db.backup(join(targetDir, name));
    } finally {
      db.close();
    }
  }
}

/** Copies the blocks that the data base in `listDir` names, and deletes others from the target. */
function copyBlocks(fromDir: string, targetDir: string, listDir = targetDir): Copied {
  const db = openForReading(listDir);
  const facts = blocksOf(db);
  db.close();
  let bytes = 0;
  for (const { id } of facts) {
    const target = blockPath(targetDir, id);
    const { size } = statSync(blockPath(fromDir, id));
    bytes += size;
    if (statSync(target, { throwIfNoEntry: false })?.size === size) continue;
    copyDurably(blockPath(fromDir, id), target);
  }
  const wanted = new Set(facts.map(({ id }) => `${id}.block`));
  for (const name of readdirSync(blocksDir(targetDir))) {
    if (name.endsWith('.block') && !wanted.has(name)) rmSync(join(blocksDir(targetDir), name));
  }
  sync(blocksDir(targetDir));
  return { blocks: facts.length, bytes };
}

function copyDurably(from: string, to: string): void {
  copyFileSync(from, to);
  sync(to);
}

/** A file, or the names in a folder. */
function sync(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
