import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FindingsStore } from '../../findings/findings-store.ts';
import { numberedBatch } from '../testing/numbered-batch.ts';
import { backUpStore, restoreStore } from './backup.ts';
import { Maintenance } from './maintenance.ts';
import { EmbeddedReader } from './reader.ts';
import { verifyStore } from './verify.ts';
import { EmbeddedWriter } from './writer.ts';

const batches = (from: number, until: number) =>
  Array.from({ length: until - from }, (_, n) => numberedBatch(from + n));

test('a backup of a store in use, taken twice, is restored and verified; a flipped bit is found', async () => {
  const root = mkdtempSync(join(tmpdir(), 'everflame-backup-'));
  const [dataDir, backupDir, restoredDir] = ['data', 'backup', 'restored'].map((name) => join(root, name)) as [
    string,
    string,
    string,
  ];
  const writer = new EmbeddedWriter(dataDir, 0);
  const maintenance = new Maintenance(dataDir);
  await writer.append(batches(0, 300));
  writer.rotate();
  maintenance.step(0);
  await writer.append(batches(300, 320));
  await backUpStore(dataDir, backupDir);
  await writer.append(batches(320, 340));
  writer.rotate();
  while (maintenance.step(0, true));
  await writer.append(batches(340, 350));
  const findings = new FindingsStore(dataDir);
  findings.transaction(() => findings.count('looks', 7));
  const { blocks } = await backUpStore(dataDir, backupDir);
  expect(blocks).toBe(readdirSync(join(backupDir, 'blocks')).length);

  restoreStore(backupDir, restoredDir);
  expect(() => restoreStore(backupDir, restoredDir)).toThrow('has a store already');
  const restoredFindings = new FindingsStore(restoredDir);
  expect(restoredFindings.tally('looks')).toBe(7);
  for (const store of [findings, restoredFindings]) store.close();
  const before = new EmbeddedReader(dataDir);
  const after = new EmbeddedReader(restoredDir);
  const { bytes: _before, ...expected } = await before.status();
  const { bytes: _after, ...found } = await after.status();
  expect(found).toEqual(expected);
  expect(found.profiles).toBe(350);
  const range = { fromMs: 0, untilMs: Number.MAX_SAFE_INTEGER };
  expect(await after.series(range, [])).toEqual(await before.series(range, []));
  await Promise.all([before.close(), after.close()]);

  expect(verifyStore(restoredDir)).toEqual({ blocks, profiles: 350, problems: [] });
  const [name = ''] = readdirSync(join(restoredDir, 'blocks'));
  const path = join(restoredDir, 'blocks', name);
  const whole = readFileSync(path);
  for (let at = 0; at < whole.length; at += 101) {
    const flipped = Buffer.from(whole);
    flipped[at] = (flipped[at] ?? 0) ^ 4;
    writeFileSync(path, flipped);
    // The first eight bytes say only what kind of file it is.
    const isSaid = verifyStore(restoredDir).problems.some((problem) => problem.startsWith(name));
    expect({ at, isSaid }).toEqual({ at, isSaid: at >= 8 });
  }
  maintenance.close();
  await writer.close();
  rmSync(root, { recursive: true });
}, 60_000);
