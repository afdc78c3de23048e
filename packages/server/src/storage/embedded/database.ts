import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { StorageError } from '../storage.ts';

export type Connection = Database.Database;

/** Version of the tables below and of what is inside the blobs. */
export const formatVersion = 1;
const fileName = 'everflame.db';

/**
 * `dictionary` is the log of what was added to the dictionary, one record a commit (`Dictionary.writeSince`).
 * `profile.data` stands last, so that a query that needs only the columns before it does not read the pages of the blob.
 */
const tables = `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE dictionary (sequence INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT;
  CREATE TABLE header (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT;
  CREATE TABLE series (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, labels TEXT NOT NULL,
    first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL, profiles INTEGER NOT NULL, samples REAL NOT NULL,
    UNIQUE (name, labels)
  ) STRICT;
  CREATE TABLE profile (
    id INTEGER PRIMARY KEY, series INTEGER NOT NULL, header INTEGER NOT NULL, time_ms INTEGER NOT NULL,
    label_sets BLOB NOT NULL, totals BLOB NOT NULL, data BLOB NOT NULL
  ) STRICT;
  CREATE INDEX profile_by_series ON profile (series, time_ms);
  CREATE INDEX profile_by_time ON profile (time_ms, series, header);
  CREATE TABLE batch (id BLOB PRIMARY KEY, received_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE agent (id TEXT PRIMARY KEY, last_seen_ms INTEGER NOT NULL, report TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE mark (
    service TEXT NOT NULL, version TEXT NOT NULL, environment TEXT NOT NULL, at_ms INTEGER NOT NULL,
    commit_id TEXT NOT NULL, url TEXT NOT NULL,
    PRIMARY KEY (service, version, environment, at_ms, commit_id, url)
  ) STRICT, WITHOUT ROWID;
`;

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
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = FULL');
    const isEmpty = db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'meta'").get() === undefined;
    if (isEmpty) {
      db.transaction(() => {
        db.exec(tables);
        db.prepare("INSERT INTO meta VALUES ('format', ?)").run(String(formatVersion));
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
  const stored = Number(db.prepare("SELECT value FROM meta WHERE key = 'format'").pluck().get());
  if (stored === formatVersion) return;
  db.close();
  throw new StorageError(
    'newer_format',
    `${dataDir} was written in format ${stored}, this version of Everflame reads ${formatVersion}: start the newer version, or give another --data-dir`,
  );
}

/** What SQLite refuses becomes a StorageError that names the directory. */
export function explained<T>(dataDir: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (error instanceof StorageError) throw error;
    if (!(error instanceof Error) || !('code' in error)) throw error;
    throw new StorageError(
      'unavailable',
      `the store in ${dataDir} cannot be used: ${error.message} (${String(error.code)})`,
      {
        cause: error,
      },
    );
  }
}

export function isSqliteError(error: unknown): error is InstanceType<typeof Database.SqliteError> {
  return error instanceof Database.SqliteError;
}
