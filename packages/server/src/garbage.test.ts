import { getHeapStatistics } from 'node:v8';
import { expect, test } from 'vitest';
import { Garbage } from './garbage.ts';

const mebibyte = 1024 * 1024;
const held: { columns?: Uint8Array | undefined } = {};

/** What there is when nothing of it can be collected. */
function restingMb(): number {
  const garbage = new Garbage();
  garbage.collectAtRest();
  garbage.collectYoung();
  return outsideMb();
}

function outsideMb(): number {
  return getHeapStatistics().external_memory / mebibyte;
}

test('what was used at the last collection and is not any more is given back at rest', () => {
  const garbage = new Garbage();
  const before = restingMb();
  held.columns = new Uint8Array(64 * mebibyte);
  garbage.collectIfMuch();
  expect(outsideMb()).toBeGreaterThan(before + 60);
  held.columns = undefined;
  // No more than at the last collection, so that between two pieces of work it is not worth another.
  garbage.collectIfMuch();
  expect(outsideMb()).toBeGreaterThan(before + 60);
  garbage.collectAtRest();
  expect(outsideMb()).toBeLessThan(before + 10);
});

test('what a collection has freed is not counted when it is over', () => {
  const garbage = new Garbage();
  const before = restingMb();
  held.columns = new Uint8Array(64 * mebibyte);
  held.columns = undefined;
  garbage.collectIfMuch();
  expect(outsideMb()).toBeLessThan(before + 10);
});
