import { expect, test } from 'vitest';
import { FileCache } from './file-cache.ts';

class Table {
  byteLength: number;
  isClosed = false;

  constructor(byteLength: number) {
    this.byteLength = byteLength;
  }

  close(): void {
    this.isClosed = true;
  }
}

test('a file that is asked for under two keys is there once, and goes with the last of them', () => {
  const cache = new FileCache<Table>(100);
  const libc = new Table(60);
  cache.keep('inode', 'libc', libc);
  cache.keep('build ID', 'libc', libc);
  expect([cache.size, cache.byteLength]).toEqual([1, 60]);
  cache.forget('inode');
  expect([cache.use('inode'), cache.use('build ID'), libc.isClosed]).toEqual([undefined, libc, false]);
  cache.forget('build ID');
  expect([cache.size, cache.same('libc'), libc.isClosed]).toEqual([0, undefined, true]);
});

test('what was used longest ago makes room, under all of its keys; one stays, however large', () => {
  const cache = new FileCache<Table>(100);
  const [first, second, third] = [new Table(60), new Table(30), new Table(30)];
  cache.keep('a', 'first', first);
  cache.keep('b', 'first', first);
  cache.keep('c', 'second', second);
  cache.use('a');
  cache.keep('d', 'third', third);
  expect([first.isClosed, second.isClosed, third.isClosed]).toEqual([false, true, false]);
  expect(cache.takeEvicted()).toEqual(['c']);
  // It grew while it was used.
  third.byteLength = 200;
  cache.use('d');
  cache.makeRoom();
  expect([first.isClosed, third.isClosed, cache.size]).toEqual([true, false, 1]);
  expect(cache.takeEvicted()).toEqual(['a', 'b']);
  expect(cache.takeEvicted()).toEqual([]);
});

test('a key that stands for another file now gives up the one before', () => {
  const cache = new FileCache<Table>(100);
  const [before, now, again] = [new Table(10), new Table(10), new Table(10)];
  cache.keep('inode', 'before', before);
  cache.keep('inode', 'now', now);
  expect([before.isClosed, cache.use('inode'), cache.size]).toEqual([true, now, 1]);
  // Read again, the same file is another table.
  cache.keep('inode', 'now', again);
  expect([now.isClosed, cache.use('inode')]).toEqual([true, again]);
});
