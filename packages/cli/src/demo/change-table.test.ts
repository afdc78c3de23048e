import type { http } from '@everflame/protocols';
import { expect, test } from 'vitest';
import { formatChanges, readableName, topChanges } from './change-table.ts';

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

test('the forms of a function in the tiers of V8 are one', () => {
  for (const tier of ['~', '^', '+', '*', "*'", "+'", '']) {
    expect(readableName(`JS:${tier}renderInvoice file:///shop/invoice.mjs:44:30`)).toBe('renderInvoice invoice.mjs');
  }
  expect(readableName("JS:*' file:///shop/service.mjs:53:29")).toBe('(anonymous) service.mjs');
  expect(readableName('JS:+URL node:internal/url:879:14')).toBe('URL url');
});

test('names that are not V8 ones stay as they are', () => {
  for (const name of [
    'main',
    'std::vector<int>::push_back(int const&)',
    '[node+0x1234]',
    'JS:odd',
    'v8::internal::Invoke(a, b)',
  ]) {
    expect(readableName(name)).toBe(name);
  }
});

test('the largest change of share stands first, what is new and what is gone included', () => {
  const rows = functions(`
    same                                        0.3   0.3
    gone                                        0.1   -
    JS:^renderInvoice file:///invoice.mjs:4:3   0.05  0.02
    JS:*renderInvoice file:///invoice.mjs:4:3   0.05  0.3
    new                                         -     0.02
  `);
  expect(formatChanges(topChanges(rows, 3), '1.0.0', '1.1.0')).toBe(
    [
      ' 1.0.0   1.1.0  points  function (self)',
      '10.0 %  32.0 %   +22.0  renderInvoice invoice.mjs',
      '10.0 %   0.0 %   −10.0  gone',
      ' 0.0 %   2.0 %    +2.0  new',
    ].join('\n'),
  );
});
