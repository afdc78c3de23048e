import { expect, test } from 'vitest';

import { ThreadLabels } from './thread-labels.ts';

const label = { key: 'python_thread_name', text: 'worker' };

test('a thread without a name is looked at in three drains, once in each; one with a name not again', () => {
  const labels = new ThreadLabels();
  const looks: number[] = [];
  for (const drain of [1, 1, 2, 3, 3, 4, 5]) {
    if (!labels.isOpen(0, drain)) continue;
    looks.push(drain);
    labels.set(0, drain, 'none');
  }
  expect(looks).toEqual([1, 2, 3]);
  labels.set(1, 1, label);
  expect(labels.isOpen(1, 2)).toBe(false);
  expect([labels.of(0), labels.of(1), labels.of(2)]).toEqual([undefined, label, undefined]);
});

test('what has no name because it ended or could not be read is a loss, what has none is not', () => {
  const labels = new ThreadLabels();
  labels.set(0, 1, 'none');
  labels.set(1, 1, 'gone');
  labels.set(2, 1, 'unread');
  labels.set(3, 1, label);
  expect([0, 1, 2, 3].map((row) => labels.lossOf(row))).toEqual([undefined, 'thread_gone', 'thread_unread', undefined]);
});
