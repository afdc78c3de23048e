import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LossCounters } from '../health/counters.ts';
import { DiskQueue } from './disk-queue.ts';

let directory: string;
let losses: LossCounters;
let lines: string[];

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'everflame-queue-'));
  losses = new LossCounters();
  lines = [];
});
afterEach(() => rmSync(directory, { recursive: true }));

const open = (maxBytes = 1_000_000) =>
  DiskQueue.open({ directory, maxBytes, losses, log: (line) => void lines.push(line) });

const lost = () =>
  Object.fromEntries(
    losses
      .rows()
      .filter((row) => row.total > 0)
      .map((row) => [row.cause, row.total]),
  );

/** Takes everything out, in order. */
async function contents(queue: DiskQueue): Promise<string[]> {
  const texts: string[] = [];
  for (let entry = queue.head(); entry !== undefined; entry = queue.head()) {
    const file = await queue.read(entry);
    texts.push(file.kind === 'intact' ? Buffer.from(file.payload).toString() : file.kind);
    await queue.remove(entry);
  }
  return texts;
}

test('batches come out in the order in which they went in, also after a restart', async () => {
  const first = await open();
  for (const text of ['a', 'b', 'c']) await first.append(Buffer.from(text), 0);
  const head = first.head();
  if (head !== undefined) await first.remove(head);
  const second = await open();
  await second.append(Buffer.from('d'), 0);
  expect(second.length).toBe(3);
  expect(await contents(second)).toEqual(['b', 'c', 'd']);
  expect(readdirSync(directory)).toEqual([]);
  expect(second.bytes).toBe(0);
  expect(lost()).toEqual({});
});

test('a full queue drops its oldest batches and counts them', async () => {
  const queue = await open(100);
  // 25 bytes each with the header.
  for (const text of ['a', 'b', 'c', 'd', 'e', 'f']) await queue.append(Buffer.from(text), 0);
  expect(queue.bytes).toBe(100);
  expect(await contents(queue)).toEqual(['c', 'd', 'e', 'f']);
  expect(lost()).toEqual({ queue_full: 2 });
  expect(lines[0]).toContain('dropped the oldest batch');
});

test('the batch in flight is not dropped, since the server may have it already', async () => {
  const queue = await open(100);
  for (const text of ['a', 'b', 'c', 'd']) await queue.append(Buffer.from(text), 0);
  queue.setInFlight(queue.head());
  await queue.append(Buffer.from('e'), 0);
  expect(await contents(queue)).toEqual(['a', 'c', 'd', 'e']);
});

test('a smaller bound after a restart is kept at once', async () => {
  const queue = await open();
  for (const text of ['a', 'b', 'c', 'd']) await queue.append(Buffer.from(text), 0);
  expect(await contents(await open(50))).toEqual(['c', 'd']);
  expect(lost()).toEqual({ queue_full: 2 });
});

test('a torn, a changed and a vanished file are damaged and do not block what comes after', async () => {
  const queue = await open();
  for (const text of ['a', 'b', 'c', 'd']) await queue.append(Buffer.from(text), 0);
  const [torn, changed, vanished] = readdirSync(directory)
    .sort()
    .map((name) => path.join(directory, name));
  truncateSync(torn ?? '', 24);
  writeFileSync(changed ?? '', readFileSync(changed ?? '').fill(0x7a, 24));
  rmSync(vanished ?? '');
  expect(await contents(queue)).toEqual(['damaged', 'damaged', 'damaged', 'd']);
});

test('a file whose writing was cut off by a crash is removed and counted; foreign files are left alone', async () => {
  writeFileSync(path.join(directory, '0000000000000007.batch.tmp'), 'EVFQ');
  writeFileSync(path.join(directory, 'README'), 'hello');
  const queue = await open();
  expect(queue.length).toBe(0);
  expect(readdirSync(directory)).toEqual(['README']);
  expect(lost()).toEqual({ queue_damaged: 1 });
});

test('files are readable by the owner only', async () => {
  const queue = await open();
  await queue.append(Buffer.from('a'), 0);
  expect(statSync(path.join(directory, '0000000000000001.batch')).mode & 0o777).toBe(0o600);
});

test('a full disk costs the oldest batches, not the newest', async ({ skip }) => {
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'everflame-test', directory]);
  skip(mounted.status !== 0, 'mounting a small disk needs root');
  try {
    const queue = await open();
    for (const letter of 'abcdefgh') await queue.append(Buffer.alloc(60_000, letter), 0);
    const texts = await contents(queue);
    expect(texts.map((text) => text[0]).join('')).toMatch(/^(?:e?fgh)$/);
    expect(lost()).toEqual({ queue_full: 8 - texts.length });
    expect(lines[0]).toContain('the disk is full; dropped the oldest batch');
    await expect(queue.append(Buffer.alloc(1_000_000), 0)).rejects.toThrow('the disk is full');
    expect(readdirSync(directory)).toEqual([]);
  } finally {
    spawnSync('umount', [directory]);
  }
});
