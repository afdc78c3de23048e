import { afterEach, expect, test, vi } from 'vitest';
import { Trimming } from './trimming.ts';

const mebibyte = 1024 * 1024;
let trimming: Trimming | undefined;

afterEach(() => trimming?.close());

// What is resident is told to it: what this process holds changes with what ran in it before and with the collector, by more than the step that counts.
test('memory is given back when it has grown, and not again while it stays', async () => {
  let times = 0;
  let looks = 0;
  let resident = 100 * mebibyte;
  const residentBytes = () => {
    looks++;
    return resident;
  };
  const tenMoreLooks = async () => {
    const before = looks;
    await vi.waitFor(() => expect(looks).toBeGreaterThan(before + 10), { timeout: 10_000 });
  };
  trimming = new Trimming(() => times++, { everyMs: 5, residentBytes });
  await tenMoreLooks();
  expect(times).toBe(1);
  resident = 115 * mebibyte;
  await tenMoreLooks();
  expect(times).toBe(1);
  resident = 117 * mebibyte;
  await tenMoreLooks();
  expect(times).toBe(2);
});

test('what grows again after a fall is given back by the step above the fall', async () => {
  let looks = 0;
  const resident = [200, 80, 90, 97, 97, 112, 114].map((mebibytes) => mebibytes * mebibyte);
  const seen: number[] = [];
  trimming = new Trimming(() => seen.push(looks), {
    everyMs: 1,
    residentBytes: () => resident[Math.min(looks++, resident.length - 1)] ?? 0,
  });
  await vi.waitFor(() => expect(looks).toBeGreaterThan(resident.length), { timeout: 10_000 });
  // At the looks that saw 200, 97 (80 and 16 more) and 114 (97 and 16 more).
  expect(seen).toEqual([1, 4, 7]);
});
