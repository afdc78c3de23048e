import { join } from 'node:path';
import type { http } from '@everflame/protocols';
import Database from 'better-sqlite3';
import { explained } from '../storage/embedded/database.ts';
import { StorageError } from '../storage/storage.ts';

export const findingsFileName = 'findings.db';
const formatVersion = 1;

/** `finding.data` is an http.Finding without its id. `look` has one row for each pair of versions that is or was watched. */
const tables = `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE finding (
    id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, subject TEXT NOT NULL, state TEXT NOT NULL, at_ms INTEGER NOT NULL, data TEXT NOT NULL
  ) STRICT;
  CREATE INDEX finding_by_state ON finding (state, at_ms);
  CREATE INDEX finding_by_subject ON finding (subject);
  CREATE TABLE look (subject TEXT PRIMARY KEY, looks INTEGER NOT NULL, done_ms INTEGER NOT NULL, at_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE delivery (
    id INTEGER PRIMARY KEY AUTOINCREMENT, webhook TEXT NOT NULL, event TEXT NOT NULL, created_ms INTEGER NOT NULL, attempts INTEGER NOT NULL,
    next_ms INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX delivery_by_webhook ON delivery (webhook, id);
  CREATE TABLE tally (name TEXT PRIMARY KEY, count INTEGER NOT NULL) STRICT, WITHOUT ROWID;
`;

export interface LookState {
  readonly looks: number;
  /** Time after the deployment that was taken in, ms. */
  readonly doneMs: number;
}

/** An event that waits for a webhook. */
export interface Delivery {
  readonly id: number;
  readonly webhook: string;
  readonly event: http.WebhookEvent;
  readonly createdMs: number;
  readonly attempts: number;
  readonly nextMs: number;
}

export type StoredFinding = Omit<http.Finding, 'id'>;

export interface FindingsFilter {
  readonly state: 'open' | 'closed' | 'all';
  readonly service?: string | undefined;
  readonly environment?: string | undefined;
  readonly kind?: string | undefined;
  readonly limit: number;
}

interface FindingRow {
  readonly id: number;
  readonly data: string;
}

/**
 * Findings, how often each pair of versions was looked at, and what waits for webhooks: one small SQLite file beside the profiles. What a look has shown, the
 * look itself and the messages about it are one transaction: a server that is killed has done all of it or nothing.
 */
export class FindingsStore {
  readonly #db: Database.Database;
  readonly #dataDir: string;

  /** @throws StorageError `unavailable`, `newer_format` */
  constructor(dataDir: string) {
    this.#dataDir = dataDir;
    this.#db = explained(dataDir, () => {
      const db = new Database(join(dataDir, findingsFileName));
      db.pragma('journal_mode = WAL');
      db.pragma('synchronous = FULL');
      const isEmpty = db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'meta'").get() === undefined;
      if (isEmpty) {
        db.transaction(() => {
          db.exec(tables);
          db.prepare("INSERT INTO meta VALUES ('format', ?)").run(String(formatVersion));
        })();
      }
      const stored = Number(db.prepare("SELECT value FROM meta WHERE key = 'format'").pluck().get());
      if (stored !== formatVersion) {
        db.close();
        const detail = `${findingsFileName} in ${dataDir} is of format ${stored}, this version of Everflame reads ${formatVersion}: start the newer version`;
        throw new StorageError('newer_format', detail);
      }
      return db;
    });
  }

  /** Runs `work` as one durable transaction. */
  transaction<T>(work: () => T): T {
    return explained(this.#dataDir, () => this.#db.transaction(work).immediate());
  }

  list({ state, service, environment, kind, limit }: FindingsFilter): http.Finding[] {
    const conditions: string[] = [];
    const values: unknown[] = [];
    const add = (condition: string, value: string | undefined): void => {
      if (value === undefined) return;
      conditions.push(condition);
      values.push(value);
    };
    add('state = ?', state === 'all' ? undefined : state);
    add("json_extract(data, '$.service') = ?", service);
    add("json_extract(data, '$.environment') = ?", environment);
    add("json_extract(data, '$.kind') = ?", kind);
    const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
    const rows = this.#db.prepare(`SELECT id, data FROM finding ${where} ORDER BY at_ms DESC, id DESC LIMIT ?`);
    return (rows.all(...values, limit) as FindingRow[]).map(findingOf);
  }

  /** What is known of a subject: all of its findings, open and closed, by their keys. */
  ofSubject(subject: string): Map<string, http.Finding> {
    const rows = this.#db.prepare('SELECT id, key, data FROM finding WHERE subject = ?').all(subject);
    return new Map((rows as (FindingRow & { key: string })[]).map((row) => [row.key, findingOf(row)]));
  }

  /** Subjects that have an open finding. */
  openSubjects(): string[] {
    return this.#db.prepare("SELECT DISTINCT subject FROM finding WHERE state = 'open'").pluck().all() as string[];
  }

  /** Writes a finding under its key, new or not, and answers it with its id. */
  put(subject: string, key: string, finding: StoredFinding): http.Finding {
    const data = JSON.stringify(finding);
    const id = this.#db
      .prepare(
        'INSERT INTO finding (key, subject, state, at_ms, data) VALUES (?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET state = excluded.state, at_ms = excluded.at_ms, data = excluded.data RETURNING id',
      )
      .pluck()
      .get(key, subject, finding.state, Math.trunc(finding.at), data) as number;
    return { id, ...finding };
  }

  look(subject: string): LookState {
    const row = this.#db.prepare('SELECT looks, done_ms AS doneMs FROM look WHERE subject = ?').get(subject);
    return (row as LookState | undefined) ?? { looks: 0, doneMs: 0 };
  }

  setLook(subject: string, { looks, doneMs }: LookState, nowMs: number): void {
    this.#db
      .prepare(
        'INSERT INTO look VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET looks = excluded.looks, done_ms = excluded.done_ms, at_ms = excluded.at_ms',
      )
      .run(subject, looks, Math.trunc(doneMs), Math.trunc(nowMs));
  }

  count(name: string, by = 1): void {
    this.#db
      .prepare('INSERT INTO tally VALUES (?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count')
      .run(name, by);
  }

  tally(name: string): number {
    return (this.#db.prepare('SELECT count FROM tally WHERE name = ?').pluck().get(name) as number | undefined) ?? 0;
  }

  /** Adds to a webhook's queue; when there are more than `most`, the oldest go and are counted. */
  enqueue(webhook: string, event: http.WebhookEvent, nowMs: number, most: number): void {
    this.#db
      .prepare('INSERT INTO delivery (webhook, event, created_ms, attempts, next_ms) VALUES (?, ?, ?, 0, ?)')
      .run(webhook, JSON.stringify(event), Math.trunc(nowMs), Math.trunc(nowMs));
    const { changes } = this.#db
      .prepare(
        'DELETE FROM delivery WHERE webhook = ? AND id NOT IN (SELECT id FROM delivery WHERE webhook = ? ORDER BY id DESC LIMIT ?)',
      )
      .run(webhook, webhook, most);
    if (changes > 0) this.count(`dropped ${webhook}`, changes);
  }

  /** The oldest event of a webhook: they go in order. */
  firstDelivery(webhook: string): Delivery | undefined {
    const row = this.#db
      .prepare(
        'SELECT id, webhook, event, created_ms AS createdMs, attempts, next_ms AS nextMs FROM delivery WHERE webhook = ? ORDER BY id LIMIT 1',
      )
      .get(webhook) as (Omit<Delivery, 'event'> & { readonly event: string }) | undefined;
    return row === undefined ? undefined : { ...row, event: JSON.parse(row.event) as http.WebhookEvent };
  }

  waiting(webhook: string): number {
    return this.#db.prepare('SELECT count(*) FROM delivery WHERE webhook = ?').pluck().get(webhook) as number;
  }

  postpone(id: number, attempts: number, nextMs: number): void {
    this.#db
      .prepare('UPDATE delivery SET attempts = ?, next_ms = ? WHERE id = ?')
      .run(attempts, Math.trunc(nextMs), id);
  }

  deleteDelivery(id: number): void {
    this.#db.prepare('DELETE FROM delivery WHERE id = ?').run(id);
  }

  close(): void {
    this.#db.close();
  }
}

function findingOf({ id, data }: FindingRow): http.Finding {
  return { id, ...(JSON.parse(data) as StoredFinding) };
}
