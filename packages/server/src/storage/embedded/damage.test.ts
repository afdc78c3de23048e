import { copyFileSync, cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { StorageError } from '../storage.ts';
import { numberedBatch, storedNumbers } from '../testing/numbered-batch.ts';
import { Maintenance } from './maintenance.ts';
import { EmbeddedReader } from './reader.ts';
import { verifyStore } from './verify.ts';
import { logDamage } from './write-ahead-log.ts';
import { EmbeddedWriter } from './writer.ts';

const seed = Number(process.env['EVERFLAME_SEED'] ?? Date.now() % 100_000);
/** `npm run test:durability` has more. */
const flips = Number(process.env['EVERFLAME_FLIPS'] ?? 250);
let root: string;
let whole: string;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'everflame-damage-'));
  whole = join(root, 'whole');
  const writer = new EmbeddedWriter(whole, 0, { ageMs: Infinity });
  const maintenance = new Maintenance(whole);
  const append = async (from: number, until: number) => {
    for (let n = from; n < until; n++) await writer.append([numberedBatch(n)]);
  };
  await append(0, 60);
  writer.rotate();
  while (maintenance.step(0, true));
  await append(60, 80);
  writer.rotate();
  await append(80, 120);
  maintenance.close();
  await writer.close();
});
afterAll(() => rmSync(root, { recursive: true }));

function copy(): string {
  const dataDir = mkdtempSync(join(root, 'copy-'));
  cpSync(whole, dataDir, { recursive: true });
  return dataDir;
}

function flip(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at] = (bytes[at] ?? 0) ^ (1 << ((at * 7) % 8));
  writeFileSync(path, bytes);
}

/** Everything that a store answers about its profiles; the refusal when it refuses. */
async function answers(dataDir: string): Promise<unknown> {
  try {
    const reader = new EmbeddedReader(dataDir);
    try {
      const { profiles, series, oldestMs } = await reader.status();
      const range = { fromMs: 0, untilMs: Number.MAX_SAFE_INTEGER };
      return [profiles, series, oldestMs, await reader.series(range, []), await storedNumbers(dataDir)];
    } finally {
      await reader.close();
    }
  } catch (error) {
    if (error instanceof StorageError) return error;
    throw error;
  }
}

function problemsOf(dataDir: string): readonly string[] {
  try {
    return verifyStore(dataDir).problems;
  } catch (error) {
    if (error instanceof StorageError) return [error.message];
    throw error;
  }
}

test(`a flipped bit anywhere in everflame.db changes no answer in silence: it is refused in words, and verify says it (EVERFLAME_SEED=${seed})`, async () => {
  const expected = await answers(whole);
  expect(problemsOf(whole)).toEqual([]);
  const dataDir = copy();
  const path = join(dataDir, 'everflame.db');
  const bytes = readFileSync(path);
  // Where there is nothing there is little to be damaged.
  const places = Array.from(bytes.keys()).filter((at) => bytes[at] !== 0 || at % 50 === 0);
  const drawn = flips >= places.length ? places : fc.sample(fc.constantFrom(...places), { seed, numRuns: flips });
  let [refused, named] = [0, 0];
  const wrong: unknown[] = [];
  for (const at of drawn) {
    flip(path, at);
    const answer = await answers(dataDir);
    const problems = problemsOf(dataDir);
    if (answer instanceof StorageError) {
      refused++;
      const isSaid = /damaged|newer|format/.test(answer.message) && problems.length > 0;
      if (!isSaid) wrong.push({ at, refusal: answer.message, problems });
    } else if (!isDeepStrictEqual(answer, expected)) wrong.push({ at, answer, problems });
    if (problems.length > 0) named++;
    copyFileSync(join(whole, 'everflame.db'), path);
    for (const name of readdirSync(join(dataDir, 'blocks')))
      if (name.endsWith('.damaged')) rmSync(join(dataDir, 'blocks', name));
  }
  expect(wrong).toEqual([]);
  expect(refused).toBeGreaterThan(drawn.length / 20);
  expect(named).toBeGreaterThanOrEqual(refused);
}, 600_000);

test('a flipped bit in the log of commits is no silent loss of what was acknowledged', async () => {
  const { dataDir, length } = await killedStore();
  const path = join(dataDir, 'everflame.db-wal');
  const killed = readFileSync(path);
  expect(killed.length).toBeGreaterThan(100_000);
  expect(logDamage(dataDir)).toBeNull();
  const offsets = fc.sample(fc.nat(killed.length - 1), { seed, numRuns: 300 });
  const silent: unknown[] = [];
  const words: string[] = [];
  for (const at of [3, 12, 20, 28, 40, ...offsets]) {
    flip(path, at);
    const damage = logDamage(dataDir);
    if (damage !== null) {
      words.push(damage.message);
      writeFileSync(path, killed);
      continue;
    }
    // SQLite makes its index of the log anew, as after a crash, in a copy that it may change.
    const other = mkdtempSync(join(root, 'recovered-'));
    copyFileSync(join(dataDir, 'everflame.db'), join(other, 'everflame.db'));
    copyFileSync(path, join(other, 'everflame.db-wal'));
    const found = await storedNumbers(other);
    // The very last commit may have been cut off: that it is not whole is no news.
    if (found.size < length - 1) silent.push({ at, found: found.size });
    writeFileSync(path, killed);
    rmSync(other, { recursive: true });
  }
  expect(silent).toEqual([]);
  expect(words.length).toBeGreaterThan(200);
  const wanted = /^everflame\.db-wal in .* is damaged: .* commits .* "everflame verify".*"everflame restore"/;
  expect(words.filter((one) => !wanted.test(one))).toEqual([]);
}, 120_000);

/** A store as a kill -9 leaves it: everything still in the log. */
async function killedStore(): Promise<{ readonly dataDir: string; readonly length: number }> {
  const live = mkdtempSync(join(root, 'live-'));
  const dataDir = mkdtempSync(join(root, 'killed-'));
  const writer = new EmbeddedWriter(live, 0, { ageMs: Infinity });
  // Below the thousand pages after which SQLite takes the log over into the data base.
  for (let n = 0; n < 40; n++) await writer.append([numberedBatch(n)]);
  for (const name of ['everflame.db', 'everflame.db-wal']) copyFileSync(join(live, name), join(dataDir, name));
  await writer.close();
  return { dataDir, length: 40 };
}
