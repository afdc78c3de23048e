import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { numberedBatch, numberedType } from '../testing/numbered-batch.ts';
import { Maintenance } from './maintenance.ts';
import { EmbeddedReader } from './reader.ts';
import { EmbeddedWriter } from './writer.ts';

test('it is behind while finished epochs wait, and a reader that knew them answers the same afterwards', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'everflame-maintenance-'));
  const writer = new EmbeddedWriter(dataDir, 0, { ageMs: Infinity });
  const maintenance = new Maintenance(dataDir);
  const reader = new EmbeddedReader(dataDir);
  onTestFinished(async () => {
    await reader.close();
    maintenance.close();
    await writer.close();
    rmSync(dataDir, { recursive: true });
  });
  const profiles = async () => {
    const range = { fromMs: 0, untilMs: Number.MAX_SAFE_INTEGER, matchers: [], labels: [] };
    const types = { name: 'process_cpu', sampleType: numberedType, periodType: numberedType };
    const tree = await reader.tree({ ...range, ...types });
    const merged = await reader.merge({ ...range, ...types });
    expect(tree?.profiles).toBe(merged.profiles);
    expect(tree?.tree.total[0]).toBe(BigInt(merged.profiles));
    return merged.profiles;
  };
  for (const first of [0, 5, 10]) {
    await writer.append(Array.from({ length: 5 }, (_, i) => numberedBatch(first + i)));
    if (first < 10) writer.rotate();
    expect(await profiles()).toBe(first + 5);
  }
  // Two are finished, the third is being written to.
  for (const waits of [true, true, false]) {
    expect(maintenance.isBehind).toBe(waits);
    expect(await profiles()).toBe(15);
    maintenance.step(0);
  }
  expect(await profiles()).toBe(15);
});
