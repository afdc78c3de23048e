import { copyFileSync, cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { StorageError } from '../storage.ts';
import { numberedBatch, storedNumbers } from '../testing/numbered-batch.ts';
import { Maintenance } from './maintenance.ts';
import { EmbeddedReader } from './reader.ts';
import { verifyStore } from './verify.ts';
import { EmbeddedWriter } from './writer.ts';

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

test('a flipped bit anywhere in everflame.db changes no answer in silence: it is refused in words, and verify says it', async () => {
  const expected = await answers(whole);
  expect(problemsOf(whole)).toEqual([]);
  const dataDir = copy();
  const path = join(dataDir, 'everflame.db');
  const size = readFileSync(path).length;
  let [refused, named] = [0, 0];
  const wrong: unknown[] = [];
  for (let at = 0; at < size; at += 61) {
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
  console.log(`${Math.ceil(size / 61)} flips in ${size} bytes: ${refused} refused, ${named} named by verify`);
  expect(refused).toBeGreaterThan(100);
}, 120_000);
