import type { http } from '@everflame/protocols';
import { expect, test } from 'vitest';
import { formatChanges, topChanges } from './change-table.ts';

type Row = http.DiffAnswer['functions'][number];

/** One function a line: name, share before, share after; `-` where it does not occur. */
function functions(drawing: string): Row[] {
  const nothing = { self: '0', total: '0', samples: 0 };
  return drawing
    .trim()
    .split('\n')
    .map((line) => {
      const [name = '', before = '-', after = '-'] = line.trim().split(/\s{2,}/u);
      const share = (text: string) => (text === '-' ? null : Number(text));
      const presence = before === '-' ? 'new' : after === '-' ? 'gone' : 'both';
      return {
        name,
        file: '',
        before: nothing,
        after: nothing,
        shareBefore: share(before),
        shareAfter: share(after),
        presence,
      };
    });
}

test('the largest change of share stands first, what is new and what is gone included', () => {
  const rows = functions(`
    same                                        0.3   0.3
    gone                                        0.1   -
    renderInvoice                               0.1   0.32
    new                                         -     0.02
  `);
  expect(formatChanges(topChanges(rows, 3), '1.0.0', '1.1.0')).toBe(
    [
      ' 1.0.0   1.1.0  points  function (self)',
      '10.0 %  32.0 %   +22.0  renderInvoice',
      '10.0 %   0.0 %   −10.0  gone',
      ' 0.0 %   2.0 %    +2.0  new',
    ].join('\n'),
  );
});
