import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import Database from 'better-sqlite3';
import { afterEach, expect, test } from 'vitest';
import { isKept, numberedBatch, storedNumbers } from '../testing/numbered-batch.ts';
import { Maintenance } from './maintenance.ts';
import { EmbeddedReader } from './reader.ts';
import { verifyStore } from './verify.ts';
import { EmbeddedWriter } from './writer.ts';

const rounds = Number(process.env['EVERFLAME_KILL_ROUNDS'] ?? 5);
const dirs: string[] = [];
afterEach(() => {
  for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true });
});

function newDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'everflame-durability-'));
  dirs.push(dir);
  return dir;
}

function eachOnce(count: number): Map<string, bigint> {
  return new Map(Array.from({ length: count }, (_, n) => [String(n), 1n]));
}

/** A store with profiles 0 to `count` in blocks. */
async function storeInBlocks(count: number): Promise<string> {
  const dataDir = newDir();
  const writer = new EmbeddedWriter(dataDir, 0);
  const maintenance = new Maintenance(dataDir);
  await writer.append(Array.from({ length: count }, (_, n) => numberedBatch(n)));
  writer.rotate();
  while (maintenance.step(0, true));
  maintenance.close();
  await writer.close();
  return dataDir;
}

/** Lets a process store from `first` on and kills it at some instant. Answers how many profiles were acknowledged by then. */
async function storeAndKill(dataDir: string, first: number, ...more: readonly string[]): Promise<number> {
  const script = fileURLToPath(new URL('../testing/store-numbers.ts', import.meta.url));
  const child = spawn(process.execPath, [script, dataDir, String(first), ...more], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const ended = once(child, 'close');
  await once(child.stdout, 'data');
  // Some rounds end within the first blocks, others among merges.
  await new Promise((resolve) => setTimeout(resolve, 20 + Math.random() * 300));
  child.kill('SIGKILL');
  await ended;
  const lines = said.split('\n').slice(0, -1);
  expect(lines.length).toBeGreaterThan(0);
  return Number(lines.at(-1)) + 1;
}

test(`${rounds} times kill -9 while profiles are stored and blocks are made and merged lose and double nothing`, async () => {
  const dataDir = newDir();
  let acknowledged = 0;
  for (let round = 0; round < rounds; round++) {
    acknowledged = await storeAndKill(dataDir, acknowledged);
    const found = await storedNumbers(dataDir);
    // The one after the last acknowledged may be there or not: nobody was told.
    found.delete(String(acknowledged));
    expect(found).toEqual(eachOnce(acknowledged));
  }
  expect(verifyStore(dataDir).problems).toEqual([]);
}, 600_000);

test(`${rounds} times kill -9 while retention deletes lose nothing that has not expired, double nothing and leave no file behind`, async () => {
  const dataDir = newDir();
  let acknowledged = 0;
  for (let round = 0; round < rounds; round++) {
    acknowledged = await storeAndKill(dataDir, acknowledged, 'retention');
    const found = await storedNumbers(dataDir);
    const hasUnsaid = found.has(String(acknowledged));
    const last = acknowledged - 1;
    const missing = [...eachOnce(acknowledged).keys()].filter((n) => isKept(Number(n), last) && !found.has(n));
    expect(missing).toEqual([]);
    expect([...found.values()].filter((times) => times !== 1n)).toEqual([]);
    const reader = new EmbeddedReader(dataDir);
    const { deleted, damaged } = await reader.status();
    await reader.close();
    expect(damaged).toEqual([]);
    const gone = deleted.reduce((sum, { profiles }) => sum + profiles, 0);
    expect(gone + found.size).toBe(acknowledged + (hasUnsaid ? 1 : 0));
    expect(verifyStore(dataDir)).toMatchObject({ profiles: found.size, problems: [] });
  }
  new Maintenance(dataDir).close();
  expect(readdirSync(join(dataDir, 'blocks')).length).toBe(verifyStore(dataDir).blocks);
}, 600_000);

/** What the tables of older formats were like, made of those of today: they had no checksums, and format 1 no epochs and no blocks. */
const withoutChecksums = `
  UPDATE dictionary SET data = substr(data, 6);
  UPDATE profile SET data = substr(data, 6);
  UPDATE header SET text = substr(text, 1, length(text) - 9);
  UPDATE series SET labels = substr(labels, 1, length(labels) - 9);
  DELETE FROM meta WHERE key = 'blocks';
`;
const downgrades: readonly [format: number, sql: string][] = [
  [2, withoutChecksums],
  [
    1,
    `
    ${withoutChecksums}
    DROP TABLE block; DROP TABLE deleted;
    CREATE TABLE dictionary_1 (sequence INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT;
    INSERT INTO dictionary_1 SELECT sequence, data FROM dictionary;
    DROP TABLE dictionary; ALTER TABLE dictionary_1 RENAME TO dictionary;
    CREATE TABLE header_1 (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT;
    INSERT INTO header_1 SELECT id, text FROM header;
    DROP TABLE header; ALTER TABLE header_1 RENAME TO header;
    CREATE TABLE series_1 (
      id INTEGER PRIMARY KEY, name TEXT NOT NULL, labels TEXT NOT NULL,
      first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL, profiles INTEGER NOT NULL, samples REAL NOT NULL,
      UNIQUE (name, labels)
    ) STRICT;
    INSERT INTO series_1 SELECT id, name, labels, first_ms, last_ms, profiles, samples FROM series;
    DROP TABLE series; ALTER TABLE series_1 RENAME TO series;
    CREATE INDEX profile_by_time ON profile (time_ms, series, header);
    DELETE FROM meta WHERE key IN ('epoch', 'blocks');
  `,
  ],
];

test.each(downgrades)('a store of format %i is upgraded in place', async (format, sql) => {
  const dataDir = newDir();
  const writer = new EmbeddedWriter(dataDir, 0, { ageMs: Infinity });
  for (let n = 0; n < 40; n++) await writer.append([numberedBatch(n)]);
  await writer.close();
  const db = new Database(join(dataDir, 'everflame.db'));
  db.exec(sql);
  db.prepare("UPDATE meta SET value = ? WHERE key = 'format'").run(String(format));
  db.exec('PRAGMA auto_vacuum = NONE; VACUUM');
  db.close();

  const upgraded = new EmbeddedWriter(dataDir, 0);
  const maintenance = new Maintenance(dataDir);
  expect(await upgraded.append([numberedBatch(39), numberedBatch(40)])).toEqual([
    { stored: 0, repeated: true },
    { stored: 1, repeated: false },
  ]);
  expect(await storedNumbers(dataDir)).toEqual(eachOnce(41));
  while (maintenance.step(0, true));
  expect(readdirSync(join(dataDir, 'blocks')).length).toBeGreaterThan(0);
  expect(await storedNumbers(dataDir)).toEqual(eachOnce(41));
  maintenance.close();
  await upgraded.close();
});

test('a store of format 3, as it was written then, is upgraded in place: its block is read, and merged into one of today', async () => {
  const dataDir = newDir();
  mkdirSync(join(dataDir, 'blocks'), { recursive: true });
  const files = ['everflame.db', 'blocks/1.block', 'blocks/2.block'];
  for (const name of files) {
    const stored = new URL(`../testing/format-3/${name.split('/').at(-1) ?? ''}.gz`, import.meta.url);
    writeFileSync(join(dataDir, name), gunzipSync(readFileSync(stored)));
  }
  const before = readFileSync(join(dataDir, 'blocks/1.block')).subarray(0, 8).toString('utf8');
  expect(before).toBe('EVFBLK02');
  const writer = new EmbeddedWriter(dataDir, 0);
  expect(await storedNumbers(dataDir)).toEqual(eachOnce(24));
  expect(verifyStore(dataDir)).toMatchObject({ profiles: 24, problems: [] });
  for (let n = 24; n < 40; n++) await writer.append([numberedBatch(n)]);
  writer.rotate();
  const maintenance = new Maintenance(dataDir);
  while (maintenance.step(0, true));
  maintenance.close();
  await writer.close();
  expect(await storedNumbers(dataDir)).toEqual(eachOnce(40));
  expect(verifyStore(dataDir)).toMatchObject({ profiles: 40, problems: [] });
  const magics = readdirSync(join(dataDir, 'blocks')).map((name) =>
    readFileSync(join(dataDir, 'blocks', name))
      .subarray(0, 8)
      .toString('utf8'),
  );
  expect(magics).toContain('EVFBLK03');
});

test('a store of a newer format is refused in words, by the server and by verify, and stays as it is', async () => {
  const dataDir = await storeInBlocks(10);
  const db = new Database(join(dataDir, 'everflame.db'));
  db.exec("UPDATE meta SET value = '99' WHERE key = 'format'");
  db.close();
  const words = 'was written in format 99, this version of Everflame reads 4: start the newer version';
  expect(() => new EmbeddedWriter(dataDir, 0)).toThrow(words);
  expect(() => new Maintenance(dataDir)).toThrow(words);
  expect(() => new EmbeddedReader(dataDir)).toThrow(words);
  expect(() => verifyStore(dataDir)).toThrow(words);
});

test('a flipped bit anywhere in a block is noticed, said, and hides no other block', async () => {
  const dataDir = await storeInBlocks(60);
  const dir = join(dataDir, 'blocks');
  const names = readdirSync(dir);
  expect(names.length).toBeGreaterThan(1);
  const path = join(dir, names[0] ?? '');
  const whole = readFileSync(path);
  const all = await storedNumbers(dataDir);
  for (let at = 8; at < whole.length; at += 37) {
    const flipped = Buffer.from(whole);
    flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 8));
    writeFileSync(path, flipped);
    const found = await storedNumbers(dataDir);
    rmSync(`${path}.damaged`, { force: true });
    // What is not read is not noticed; a wrong answer never comes.
    expect([...found].filter(([name, value]) => all.get(name) !== value)).toEqual([]);
  }
  const broken = Buffer.from(whole);
  const last = broken.length - 40;
  broken[last] = (broken[last] ?? 0) ^ 1;
  writeFileSync(path, broken);
  const reader = new EmbeddedReader(dataDir);
  const range = { fromMs: 0, untilMs: Number.MAX_SAFE_INTEGER };
  expect((await reader.series(range, [])).length).toBeGreaterThan(0);
  const { damaged, profiles } = await reader.status();
  expect(damaged).toMatchObject([{ file: names[0], reason: expect.stringContaining('checksum') as string }]);
  expect(profiles).toBe(60 - (damaged[0]?.profiles ?? 0));
  await reader.close();
});
