import { expect, test } from 'vitest';
import { formatDiff } from './diff-table.ts';
import { formatQuantity, formatShare } from './quantity.ts';
import { formatTable, printable } from './table.ts';

test('columns are aligned, numbers to the right, and the last one is not padded', () => {
  const rows = [
    { name: 'main', value: 5 },
    { name: 'a much longer name', value: 1234 },
  ];
  const table = formatTable(rows, [
    { title: 'n', align: 'right', text: (row) => String(row.value) },
    { title: 'name', align: 'left', text: (row) => row.name },
  ]);
  expect(table.split('\n')).toEqual(['   n  name', '   5  main', '1234  a much longer name']);
});

test('a name cannot move the cursor of a terminal', () => {
  expect(printable('\u001b[2Jevil\n')).toBe('\\x1b[2Jevil\\x0a');
});

test('quantities carry a unit that people read', () => {
  expect(formatQuantity(12_345_678_901n, 'nanoseconds')).toBe('12.35 s');
  expect(formatQuantity(-1_500_000n, 'nanoseconds')).toBe('-1.50 ms');
  expect(formatQuantity(5n * 2n ** 20n, 'bytes')).toBe('5.00 MiB');
  expect(formatQuantity(1234n, 'count')).toBe('1,234');
  expect(formatShare(1n, 3n)).toBe('33.33%');
  expect(formatShare(1n, 0n)).toBe('-');
});

test('a diff shows both shares and the change in points, and says what is new and gone', () => {
  const text = formatDiff(
    [
      { name: 'slow', before: 100n, after: 300n, presence: 'both' },
      { name: 'fresh', before: 0n, after: 100n, presence: 'new' },
      { name: 'left', before: 100n, after: 0n, presence: 'gone' },
    ],
    200n,
    400n,
    'count',
  );
  expect(text.split('\n').slice(1)).toEqual([
    'before  after   share   share  change        function',
    '   100    300  50.00%  75.00%  +25.00        slow',
    '     0    100   0.00%  25.00%  +25.00  new   fresh',
    '   100      0  50.00%   0.00%  -50.00  gone  left',
  ]);
});
