import { afterEach, expect, test, vi } from 'vitest';
import { Trimming } from './trimming.ts';

const mebibyte = 1024 * 1024;
const pageBytes = 4096;
let trimming: Trimming | undefined;
const held: { bytes?: Uint8Array | undefined } = {};

afterEach(() => {
  trimming?.close();
  held.bytes = undefined;
});

/** Resident memory, so that the process has so much more. */
function hold(mebibytes: number): void {
  const bytes = new Uint8Array(mebibytes * mebibyte);
  for (let at = 0; at < bytes.length; at += pageBytes) bytes[at] = 1;
  held.bytes = bytes;
}

test('memory is given back when it has grown, and not again while it stays', async () => {
  let times = 0;
  let looks = 0;
  const residentBytes = () => {
    looks++;
    return process.memoryUsage.rss();
  };
  trimming = new Trimming(() => times++, { everyMs: 5, residentBytes });
  const timeout = 10_000;
  await vi.waitFor(() => expect(times).toBe(1), { timeout });
  const before = looks;
  await vi.waitFor(() => expect(looks).toBeGreaterThan(before + 10), { timeout });
  expect(times).toBe(1);
  hold(64);
  await vi.waitFor(() => expect(times).toBe(2), { timeout });
});
