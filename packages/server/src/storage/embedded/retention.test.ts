import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Matcher, matchLabels } from '@everflame/profile';
import Database from 'better-sqlite3';
import * as fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import type { DeletedFact } from '../storage.ts';
import { numberedBatch, numberedStartMs, storedNumbers } from '../testing/numbered-batch.ts';
import { Maintenance } from './maintenance.ts';
import { EmbeddedReader } from './reader.ts';
import type { Retention } from './retention.ts';
import { verifyStore } from './verify.ts';
import { EmbeddedWriter } from './writer.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const dirs: string[] = [];
afterEach(() => {
  for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true });
});

function newDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'everflame-retention-'));
  dirs.push(dir);
  return dir;
}

const equals = (name: string, value: string): Matcher => ({ name, operator: '=', value });
const timeOf = (n: number) => numberedStartMs + n * hourMs;

async function statusOf(dataDir: string) {
  const reader = new EmbeddedReader(dataDir);
  const status = await reader.status();
  await reader.close();
  return status;
}

/** Days 0 to `days`, a profile an hour, in blocks; every third is of the service web, the others are of api. */
async function storeDays(days: number): Promise<string> {
  const dataDir = newDir();
  const writer = new EmbeddedWriter(dataDir, 0, { ageMs: Infinity });
  const maintenance = new Maintenance(dataDir);
  await writer.append(Array.from({ length: days * 24 }, (_, n) => numberedBatch(n)));
  writer.rotate();
  while (maintenance.step(0, true));
  maintenance.close();
  await writer.close();
  return dataDir;
}

function runRetention(dataDir: string, retention: Retention, nowMs: number): void {
  const maintenance = new Maintenance(dataDir, retention);
  while (maintenance.step(nowMs, true));
  maintenance.close();
}

test('retention by size deletes the oldest blocks and keeps the rest', async () => {
  const dataDir = await storeDays(40);
  const bytesBefore = blockBytes(dataDir);
  const limit = dataBaseBytes(dataDir) + Math.floor(bytesBefore.reduce((sum, bytes) => sum + bytes, 0) / 2);
  runRetention(dataDir, { maxBytes: limit }, timeOf(40 * 24));
  const { profiles, deleted, oldestMs } = await statusOf(dataDir);
  expect(deleted).toMatchObject([{ cause: 'size', profiles: 40 * 24 - profiles }]);
  const bytesAfter = dataBaseBytes(dataDir) + blockBytes(dataDir).reduce((sum, bytes) => sum + bytes, 0);
  expect(bytesAfter).toBeLessThanOrEqual(limit);
  // No block more than was needed.
  expect(bytesAfter + Math.max(...bytesBefore)).toBeGreaterThan(limit);
  // What is left is what is newest.
  expect(oldestMs).toBe(timeOf(40 * 24 - profiles));
  runRetention(dataDir, { maxBytes: 1 }, timeOf(40 * 24));
  const nothing = await statusOf(dataDir);
  expect(nothing.profiles).toBe(0);
  expect(nothing.deleted).toMatchObject([{ cause: 'size', profiles: 40 * 24, untilMs: timeOf(40 * 24 - 1) }]);
  expect(readdirSync(join(dataDir, 'blocks'))).toEqual([]);
});

function blockBytes(dataDir: string): number[] {
  return readdirSync(join(dataDir, 'blocks')).map((name) => statSync(join(dataDir, 'blocks', name)).size);
}

/** Pages in use. */
function dataBaseBytes(dataDir: string): number {
  const db = new Database(join(dataDir, 'everflame.db'), { readonly: true });
  const [pages, free, size] = ['page_count', 'freelist_count', 'page_size'].map((name) =>
    Number(db.pragma(name, { simple: true })),
  ) as [number, number, number];
  db.close();
  return (pages - free) * size;
}

test('retention of a selector takes its series out of the blocks that it shares with others, and nothing else', async () => {
  const dataDir = await storeDays(30);
  const nowMs = timeOf(30 * 24);
  const retention = { rules: [{ matchers: [equals('service_name', 'web')], maxAgeMs: 7 * dayMs }] };
  runRetention(dataDir, retention, nowMs);
  const found = await storedNumbers(dataDir);
  const left = Array.from({ length: 30 * 24 }, (_, n) => n).filter(
    (n) => n % 3 !== 0 || timeOf(n) >= nowMs - 7 * dayMs,
  );
  const isLeft = new Set(left.map(String));
  // All that must be there is there once; of the rest only what is less than an eighth of a week too old may be.
  expect([...isLeft].filter((name) => found.get(name) !== 1n)).toEqual([]);
  const late = [...found.keys()].filter((name) => !isLeft.has(name)).map(Number);
  expect(late.filter((n) => n % 3 !== 0 || timeOf(n) < nowMs - (7 + 7 / 8) * dayMs)).toEqual([]);
  const { deleted } = await statusOf(dataDir);
  expect(deleted).toMatchObject([{ cause: 'selector', profiles: 30 * 24 - found.size }]);
  expect(deleted[0]?.bytes).toBeGreaterThan(0);
  expect(verifyStore(dataDir).problems).toEqual([]);
});

test('profiles that wait in the data base expire as well, and their series can be written to again', async () => {
  const dataDir = newDir();
  const writer = new EmbeddedWriter(dataDir, 0, { ageMs: Infinity });
  await writer.append(Array.from({ length: 48 }, (_, n) => numberedBatch(n)));
  runRetention(dataDir, { maxAgeMs: dayMs }, timeOf(71));
  // Older than an hour before: 24 hours and their eighth end between 43 and 44 hours.
  const first = await storedNumbers(dataDir);
  expect([...first.keys()].map(Number)).toEqual([47]);
  await writer.append([numberedBatch(48), numberedBatch(49)]);
  const { profiles, oldestMs, deleted } = await statusOf(dataDir);
  expect({ profiles, oldestMs }).toEqual({ profiles: 3, oldestMs: timeOf(47) });
  expect(deleted).toMatchObject([{ cause: 'age', profiles: 47, samples: 47, untilMs: timeOf(46) }]);
  expect(verifyStore(dataDir)).toMatchObject({ profiles: 3, problems: [] });
  await writer.close();
});

test('a block that cannot be read expires when nothing in it would be kept', async () => {
  const dataDir = await storeDays(10);
  const [name = ''] = readdirSync(join(dataDir, 'blocks'));
  writeFileSync(join(dataDir, 'blocks', name), 'no block');
  const retention = { rules: [{ matchers: [equals('service_name', 'web')], maxAgeMs: dayMs }], maxAgeMs: 20 * dayMs };
  runRetention(dataDir, retention, timeOf(10 * 24));
  expect((await statusOf(dataDir)).damaged).toMatchObject([{ file: name }]);
  runRetention(dataDir, retention, timeOf(31 * 24));
  expect(await statusOf(dataDir)).toMatchObject({ profiles: 0, damaged: [] });
  expect(readdirSync(join(dataDir, 'blocks'))).toEqual([]);
});

const rule = fc.record({
  matchers: fc.array(
    fc.record({
      name: fc.constantFrom('service_name', '__name__', 'nowhere'),
      operator: fc.constantFrom('=', '!='),
      value: fc.constantFrom('web', 'api', '', 'process_cpu'),
    }) satisfies fc.Arbitrary<Matcher>,
    { minLength: 1, maxLength: 2 },
  ),
  maxAgeMs: fc.integer({ min: 1, max: 20 }).map((days) => days * dayMs),
});

test('whatever the rules, what has not expired is there once, what is overdue is gone, and all of it is counted', async () => {
  const property = fc.asyncProperty(
    fc.record({
      rules: fc.array(rule, { maxLength: 3 }),
      maxAgeMs: fc.option(
        fc.integer({ min: 1, max: 20 }).map((days) => days * dayMs),
        { nil: Infinity },
      ),
    }),
    fc.array(fc.record({ profiles: fc.integer({ min: 1, max: 60 }), stepHours: fc.nat(60), steps: fc.nat(4) }), {
      minLength: 1,
      maxLength: 6,
    }),
    async (retention, happenings) => {
      const dataDir = newDir();
      const ageOf = (n: number) => {
        const labels = { __name__: 'process_cpu', service_name: n % 3 === 0 ? 'web' : 'api' };
        return retention.rules.find(({ matchers }) => matchLabels(matchers, labels))?.maxAgeMs ?? retention.maxAgeMs;
      };
      let n = 0;
      let nowMs = numberedStartMs;
      for (const { profiles, stepHours, steps } of happenings) {
        const writer = new EmbeddedWriter(dataDir, nowMs, { profiles: 20, ageMs: Infinity });
        const maintenance = new Maintenance(dataDir, retention);
        for (let i = 0; i < profiles; i++) await writer.append([numberedBatch(n++)]);
        nowMs = Math.max(nowMs + stepHours * hourMs, timeOf(n));
        for (let i = 0; i < steps; i++) maintenance.step(nowMs, true);
        maintenance.close();
        await writer.close();
        const found = await storedNumbers(dataDir);
        const missing = Array.from({ length: n }, (_, i) => i).filter(
          (i) => timeOf(i) >= nowMs - ageOf(i) && found.get(String(i)) !== 1n,
        );
        expect(missing).toEqual([]);
        const { profiles: stored, deleted } = await statusOf(dataDir);
        expect(stored).toBe(found.size);
        expect(n - stored).toBe(deleted.reduce((sum, one: DeletedFact) => sum + one.profiles, 0));
      }
      runRetention(dataDir, retention, nowMs);
      const found = await storedNumbers(dataDir);
      const overdue = [...found.keys()].map(Number).filter((i) => timeOf(i) < nowMs - (ageOf(i) * 9) / 8);
      expect(overdue).toEqual([]);
      expect(verifyStore(dataDir)).toMatchObject({ profiles: found.size, problems: [] });
    },
  );
  await fc.assert(property, { numRuns: 12 });
}, 60_000);

test('a reader that has read an epoch sees what retention deletes of it and what is stored then', async () => {
  const dataDir = newDir();
  const writer = new EmbeddedWriter(dataDir, 0, { ageMs: Infinity });
  for (let n = 0; n < 60; n++) await writer.append([numberedBatch(n)]);
  const reader = new EmbeddedReader(dataDir);
  const facts = async (from: EmbeddedReader) => {
    const { profiles, series, oldestMs, newestMs } = await from.status();
    const range = { fromMs: 0, untilMs: Number.MAX_SAFE_INTEGER };
    return { profiles, series, oldestMs, newestMs, seen: await from.series(range, []), at: await from.versions() };
  };
  expect((await facts(reader)).profiles).toBe(60);
  runRetention(dataDir, { maxAgeMs: dayMs }, timeOf(60));
  for (let n = 60; n < 65; n++) await writer.append([numberedBatch(n)]);
  const fresh = new EmbeddedReader(dataDir);
  const seen = await facts(reader);
  expect(seen).toEqual(await facts(fresh));
  expect(seen.profiles).toBeLessThan(40);
  expect(seen.oldestMs).toBeGreaterThanOrEqual(timeOf(60) - dayMs);
  await Promise.all([reader.close(), fresh.close(), writer.close()]);
});
