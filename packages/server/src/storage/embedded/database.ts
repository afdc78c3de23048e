import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { StorageError } from '../storage.ts';

export type Connection = Database.Database;

/** Version of the tables below and of what is inside the blobs. */
export const formatVersion = 4;
const fileName = 'everflame.db';
/**
 * 2 MB a connection. better-sqlite3 sets 16, which the writer, the maintenance thread and each reader fill with pages that are read once: blobs, in order. The
 * system's page cache has them, too.
 */
const pageCache = 'cache_size = -2000';

/**
 * What is recent stands in the data base, in epochs: each has a dictionary of its own, whose log is `dictionary` (one record
 * a commit, `Dictionary.writeSince`). A finished epoch is written to a block file and taken out of the tables.
 * `profile.data` stands last, so that a query that needs only the columns before it does not read the pages of the blob.
 */
const epochTables = `
  CREATE TABLE header (
    id INTEGER PRIMARY KEY AUTOINCREMENT, epoch INTEGER NOT NULL, text TEXT NOT NULL, UNIQUE (epoch, text)
  ) STRICT;
  CREATE TABLE series (
    id INTEGER PRIMARY KEY AUTOINCREMENT, epoch INTEGER NOT NULL, name TEXT NOT NULL, labels TEXT NOT NULL,
    first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL, profiles INTEGER NOT NULL, samples REAL NOT NULL,
    UNIQUE (epoch, name, labels)
  ) STRICT;
`;

/** `block` is the list of block files that count; `last_id` is the greatest id of a profile in it. */
const blockTables = `
  CREATE TABLE block (
    id INTEGER PRIMARY KEY AUTOINCREMENT, level INTEGER NOT NULL, from_ms INTEGER NOT NULL, until_ms INTEGER NOT NULL,
    end_ms INTEGER NOT NULL, last_id INTEGER NOT NULL, profiles INTEGER NOT NULL, samples REAL NOT NULL, bytes INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE deleted (
    cause TEXT PRIMARY KEY, profiles INTEGER NOT NULL, samples REAL NOT NULL, bytes INTEGER NOT NULL, until_ms INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
`;

const tables = `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE dictionary (sequence INTEGER PRIMARY KEY, data BLOB NOT NULL, epoch INTEGER NOT NULL DEFAULT 0) STRICT;
  CREATE TABLE profile (
    id INTEGER PRIMARY KEY, series INTEGER NOT NULL, header INTEGER NOT NULL, time_ms INTEGER NOT NULL,
    label_sets BLOB NOT NULL, totals BLOB NOT NULL, data BLOB NOT NULL
  ) STRICT;
  CREATE INDEX profile_by_series ON profile (series, time_ms);
  CREATE TABLE batch (id BLOB PRIMARY KEY, received_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE agent (id TEXT PRIMARY KEY, last_seen_ms INTEGER NOT NULL, report TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE mark (
    service TEXT NOT NULL, version TEXT NOT NULL, environment TEXT NOT NULL, at_ms INTEGER NOT NULL,
    commit_id TEXT NOT NULL, url TEXT NOT NULL,
    PRIMARY KEY (service, version, environment, at_ms, commit_id, url)
  ) STRICT, WITHOUT ROWID;
  ${epochTables}
  ${blockTables}
`;

/** From format 1, where all profiles and one dictionary stood in the data base for good: they become epoch 0. */
const upgradeFrom1 = `
  ALTER TABLE dictionary ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE header RENAME TO header_1;
  ALTER TABLE series RENAME TO series_1;
  ${epochTables}
  INSERT INTO header SELECT id, 0, text FROM header_1;
  INSERT INTO series SELECT id, 0, name, labels, first_ms, last_ms, profiles, samples FROM series_1;
  DROP TABLE header_1;
  DROP TABLE series_1;
  DROP INDEX profile_by_time;
  ${blockTables}
`;

/** From format 2, whose records had no checksum (`sealed`): those are read as they are, new ones have one. */
const upgradeFrom2 = '';

/** From format 3, whose blocks are of version 2 (`block-file.ts`): those are read as they are, new and merged ones are of version 3. */
const upgradeFrom3 = '';

/** By the format that it begins with. */
const upgrades = [undefined, upgradeFrom1, upgradeFrom2, upgradeFrom3];

/**
 * Opens the data base for the one writer, made if there is none. A committed transaction is on the disk: WAL with
 * synchronous=FULL syncs the log at each commit.
 *
 * @throws StorageError `newer_format`, `unavailable`
 */
export function openForWriting(dataDir: string): Connection {
  return explained(dataDir, () => {
    mkdirSync(dataDir, { recursive: true });
    const db = new Database(join(dataDir, fileName));
    db.pragma(pageCache);
    const isEmpty = db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'meta'").get() === undefined;
    // Before the first table, or it has no effect: what an epoch took is given back to the file system. Not again at each start,
    // since it writes, which a full disk refuses.
    if (isEmpty) db.pragma('auto_vacuum = INCREMENTAL');
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = FULL');
    db.pragma('journal_size_limit = 1048576');
    if (isEmpty) {
      db.transaction(() => {
        db.exec(tables);
        db.prepare("INSERT INTO meta VALUES ('format', ?)").run(String(formatVersion));
      })();
    }
    for (const [from, upgrade] of upgrades.entries()) {
      if (upgrade === undefined || storedFormat(db) !== from) continue;
      db.transaction(() => {
        db.exec(upgrade);
        db.prepare("UPDATE meta SET value = ? WHERE key = 'format'").run(String(from + 1));
      })();
    }
    checkFormat(db, dataDir);
    return db;
  });
}

/** Opens an existing data base for reading. Every read transaction sees one committed state. */
export function openForReading(dataDir: string): Connection {
  return explained(dataDir, () => {
    const db = new Database(join(dataDir, fileName), { readonly: true, fileMustExist: true });
    db.pragma(pageCache);
    checkFormat(db, dataDir);
    return db;
  });
}

/**
 * Takes the directory for one server. The lock is the operating system's, so it is gone when the process is, however it ends.
 *
 * @throws StorageError `locked`
 */
export function lockDataDir(dataDir: string): Connection {
  return explained(dataDir, () => {
    mkdirSync(dataDir, { recursive: true });
    const lock = new Database(join(dataDir, 'server.lock'), { timeout: 0 });
    try {
      lock.pragma('journal_mode = DELETE');
      lock.exec('BEGIN EXCLUSIVE');
      return lock;
    } catch (error) {
      lock.close();
      if (!isSqliteError(error) || !error.code.startsWith('SQLITE_BUSY')) throw error;
      throw new StorageError(
        'locked',
        `another server uses ${dataDir}: stop it, or give this one a directory of its own with --data-dir`,
      );
    }
  });
}

function checkFormat(db: Connection, dataDir: string): void {
  const stored = storedFormat(db);
  if (stored === formatVersion) return;
  db.close();
  if (stored < formatVersion && upgrades[stored] !== undefined) {
    const detail = `${dataDir} was written in format ${stored}: start the server on it once, which makes it format ${formatVersion}`;
    throw new StorageError('unavailable', detail);
  }
  if (!(stored > formatVersion)) throw damagedDataBase(dataDir, 'it does not say its format');
  throw new StorageError(
    'newer_format',
    `${dataDir} was written in format ${stored}, this version of Everflame reads ${formatVersion}: start the newer version, or give another --data-dir`,
  );
}

function storedFormat(db: Connection): number {
  return Number(db.prepare("SELECT value FROM meta WHERE key = 'format'").pluck().get());
}

const prepared = new WeakMap<Connection, Map<string, Database.Statement>>();

/** The statement of a text that every question asks, prepared once for a connection. */
export function statement<Bound extends unknown[], Row>(db: Connection, text: string): Database.Statement<Bound, Row> {
  let known = prepared.get(db);
  if (known === undefined) prepared.set(db, (known = new Map()));
  let found = known.get(text);
  if (found === undefined) known.set(text, (found = db.prepare(text)));
  return found as Database.Statement<Bound, Row>;
}

/** What SQLite or the operating system refuses becomes a StorageError that names the directory and says what to do. */
export function explained<T>(dataDir: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (error instanceof StorageError) throw error;
    const isRefusal = isSqliteError(error) || (error instanceof Error && 'code' in error && 'syscall' in error);
    if (!isRefusal) throw error;
    const code = String(error.code);
    if (isDamage(error, code)) throw damagedDataBase(dataDir, `${error.message} (${code})`, error);
    const remedy =
      remedies.find(([codes]) => codes.test(code))?.[1] ?? 'see the log of the kernel for what the disk says';
    throw new StorageError(
      'unavailable',
      `the store in ${dataDir} cannot be used: ${error.message} (${code}): ${remedy}`,
      {
        cause: error,
      },
    );
  }
}

/** Whether SQLite says that its file is not what it wrote. What it lacks of our tables was there when it was made. */
export function isDamage({ message }: Error, code: string): boolean {
  return (
    /^SQLITE_(?:CORRUPT|NOTADB|FORMAT)/.test(code) ||
    (code === 'SQLITE_ERROR' && /^no such (?:table|column|index)/.test(message))
  );
}

/** Asks for each column of each table. */
export function checkTables(db: Connection): void {
  const wanted = new Database(':memory:');
  try {
    wanted.exec(tables);
    const names = wanted
      .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND sql LIKE '%STRICT%'")
      .pluck()
      .all();
    for (const name of names as string[]) {
      const columns = wanted.pragma(`table_info(${name})`) as readonly { readonly name: string }[];
      db.prepare(`SELECT ${columns.map((column) => `${name}."${column.name}"`).join()} FROM ${name} LIMIT 1`).all();
    }
  } finally {
    wanted.close();
  }
}

/** By SQLite's code or the system's. An extended code begins with its own, so that the particular ones stand first. */
const remedies: readonly (readonly [codes: RegExp, remedy: string])[] = [
  [
    /^(?:SQLITE_FULL|ENOSPC|EDQUOT)$/,
    'make room on its disk, or let --retention or --retention-size delete old profiles; what was acknowledged is safe',
  ],
  [
    /^(?:SQLITE_READONLY|SQLITE_CANTOPEN|SQLITE_PERM|EROFS|EACCES|EPERM)/,
    'make the folder writable for this user, or mount its disk for writing',
  ],
  [/^ENOENT$/, 'give the right --data-dir'],
];

/** The data base itself is not what was written: there is nothing to leave out, as there is with a block. */
export function damagedDataBase(dataDir: string, reason: string, cause?: unknown): StorageError {
  return damagedFile('everflame.db', dataDir, reason, 'move the folder away to begin with an empty store', cause);
}

export function damagedFile(
  name: string,
  dataDir: string,
  reason: string,
  otherwise: string,
  cause?: unknown,
): StorageError {
  const detail = `${name} in ${dataDir} is damaged: ${reason}: stop the server and see what is left with "everflame verify"; then put a backup in its place with "everflame restore", or ${otherwise}`;
  return new StorageError('damaged', detail, { cause });
}

/** What cannot be decoded although SQLite gave it out was not written so: a column may even be of another type. */
export function soundly<T>(db: Connection, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (error instanceof RangeError || error instanceof SyntaxError || error instanceof TypeError)
      throw damagedDataBase(dirname(db.name), error.message, error);
    throw error;
  }
}

/** Whether there was no room left for what was to be written. */
export function isDiskFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'SQLITE_FULL' || error.code === 'ENOSPC');
}

export function isSqliteError(error: unknown): error is InstanceType<typeof Database.SqliteError> {
  return error instanceof Database.SqliteError;
}
