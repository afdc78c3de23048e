import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { numberedBatch, storedNumbers } from '../testing/numbered-batch.ts';
import { Block } from './block/block.ts';
import { Maintenance } from './maintenance.ts';
import { EmbeddedWriter } from './writer.ts';

test('a question has more blocks than stay open: those closed meanwhile are read all the same, or are said to be gone', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'everflame-sources-'));
  const writer = new EmbeddedWriter(dataDir, 0, { ageMs: Infinity });
  const maintenance = new Maintenance(dataDir);
  for (let day = 0; day < 80; day++) {
    await writer.append([numberedBatch(day * 24)]);
    writer.rotate();
    maintenance.step(0);
  }
  const dir = join(dataDir, 'blocks');
  const names = readdirSync(dir);
  expect(names).toHaveLength(80);
  const expected = Array.from({ length: 80 }, (_, day): [string, bigint] => [String(day * 24), 1n]);
  expect(await storedNumbers(dataDir)).toEqual(new Map(expected));

  const path = join(dir, names[0] ?? '');
  const block = new Block(path);
  const [part] = block.groups.map((group) => block.part(group));
  block.close();
  block.close();
  expect(part?.dictionary.stacks.length).toBe(3);
  part?.release();
  rmSync(path);
  expect(() => part?.dictionary).toThrow('ENOENT');
  maintenance.close();
  await writer.close();
  rmSync(dataDir, { recursive: true });
});
