import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { encodeProfile } from '@everflame/profile';
import Database from 'better-sqlite3';
import { afterEach, expect, test } from 'vitest';
import { MaintenanceThread } from '../storage/embedded/maintenance-thread.ts';
import { numberedBatch, storedNumbers } from '../storage/testing/numbered-batch.ts';
import { Ingest } from './ingest.ts';

const limits = { maxProfileBytes: 1_000_000, maxQueuedBytes: 1_000_000 };
const closers: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

async function start(dataDir: string, restMs: number): Promise<Ingest> {
  const ingest = await Ingest.start(dataDir, { ...limits, restMs });
  const maintenance = new MaintenanceThread(dataDir, {}, (line) => expect(line).toBe(''));
  closers.push(
    () => ingest.close(),
    () => maintenance.close(),
  );
  return ingest;
}

async function store(ingest: Ingest, first: number, end: number): Promise<void> {
  for (let n = first; n < end; n++) {
    const [entry] = numberedBatch(n).entries;
    if (entry === undefined) throw new Error('a batch has an entry');
    await ingest.run({ kind: 'profile', body: encodeProfile(entry.profile), labels: entry.labels, nowMs: Date.now() });
  }
}

function rows(dataDir: string, table: string): number {
  const db = new Database(join(dataDir, 'everflame.db'), { readonly: true });
  try {
    return Number(db.prepare(`SELECT count(*) FROM ${table}`).pluck().get());
  } finally {
    db.close();
  }
}

async function untilResting(dataDir: string): Promise<void> {
  while (rows(dataDir, 'profile') > 0) await sleep(20);
}

test('what a store at rest was given becomes blocks, after a restart too, and what comes then is stored beside it', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'everflame-rest-'));
  closers.push(() => rmSync(dataDir, { recursive: true }));
  const awake = await Ingest.start(dataDir, limits);
  await store(awake, 0, 20);
  await awake.close();
  expect(rows(dataDir, 'profile')).toBe(20);

  const ingest = await start(dataDir, 50);
  await untilResting(dataDir);
  expect(rows(dataDir, 'dictionary')).toBe(0);
  const epoch = () => {
    const db = new Database(join(dataDir, 'everflame.db'), { readonly: true });
    const value = db.prepare("SELECT value FROM meta WHERE key = 'epoch'").pluck().get();
    db.close();
    return value;
  };
  const first = epoch();
  await sleep(200);
  // An empty store ends no epochs.
  expect(epoch()).toBe(first);
  await store(ingest, 20, 30);
  await untilResting(dataDir);
  await store(ingest, 30, 40);
  const expected = Array.from({ length: 40 }, (_, n): [string, bigint] => [String(n), 1n]);
  expect(await storedNumbers(dataDir)).toEqual(new Map(expected));
  await untilResting(dataDir);
  expect(await storedNumbers(dataDir)).toEqual(new Map(expected));
}, 60_000);
