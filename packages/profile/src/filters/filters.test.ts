import { expect, test } from 'vitest';
import { checkValid } from '../check-valid.ts';
import type { Profile } from '../profile.ts';
import { formatTree, profileFromText } from '../testing/index.ts';
import { buildTree, labelText } from '../views/build-tree.ts';
import { MAX_FILTER_LENGTH } from './filter-regex.ts';
import { filterProfile } from './filter-profile.ts';
import { compileFilters, type FilterTexts } from './profile-filters.ts';
import { scaleUnit } from './scale-unit.ts';

function filtered(profile: Profile, texts: FilterTexts): Profile {
  const compiled = compileFilters(texts);
  if (!compiled.ok) throw new Error(`${compiled.name}: ${compiled.message}`);
  const result = filterProfile(profile, compiled.filters);
  checkValid(result);
  return result;
}

const tree = (profile: Profile, texts: FilterTexts): string[] => formatTree(buildTree(filtered(profile, texts), 0));

const drawn = profileFromText(`
  main   main       main                     main      main
  parse  draw       draw                     draw      idle@[kernel.kallsyms]
         line(inl)  memcpy@/usr/lib/libc.so
                    line                     parse
  = 3    5          7                        11        1
`);

test('focus and ignore choose samples, by functions and by mappings', () => {
  expect(tree(drawn, { focus: 'line|idle', ignore: 'libc' })).toEqual([
    '- root (total: 6, self: 0, samples: 2/0)',
    '  - main (total: 6, self: 0, samples: 2/0)',
    '    - draw (total: 5, self: 0, samples: 1/0)',
    '      - line (total: 5, self: 5, samples: 1/1)',
    '    - idle (total: 1, self: 1)',
  ]);
  expect(tree(drawn, { focus: 'kallsyms' })).toEqual([
    '- root (total: 1, self: 0)',
    '  - main (total: 1, self: 0)',
    '    - idle (total: 1, self: 1)',
  ]);
  expect(tree(drawn, { focus: 'nowhere' })).toEqual(['- root (total: 0, self: 0)']);
});

test('hide takes frames out, inlined lines one by one, and joins what becomes the same', () => {
  expect(tree(drawn, { hide: '^(draw|main)$' })).toEqual([
    '- root (total: 27, self: 0, samples: 5/0)',
    '  - idle (total: 1, self: 1)',
    '  - line (total: 5, self: 5, samples: 1/1)',
    '  - memcpy (total: 7, self: 0, samples: 1/0)',
    '    - line (total: 7, self: 7, samples: 1/1)',
    '  - parse (total: 14, self: 14, samples: 2/2)',
  ]);
});

test('show leaves frames, and samples without any go', () => {
  expect(tree(drawn, { show: 'parse|memcpy' })).toEqual([
    '- root (total: 21, self: 0, samples: 3/0)',
    '  - memcpy (total: 7, self: 7, samples: 1/1)',
    '  - parse (total: 14, self: 14, samples: 2/2)',
  ]);
});

test('show_from cuts what is above the outermost match', () => {
  expect(tree(drawn, { show_from: 'parse|line' })).toEqual([
    '- root (total: 26, self: 0, samples: 4/0)',
    '  - line (total: 12, self: 12, samples: 2/2)',
    '  - parse (total: 14, self: 14, samples: 2/2)',
  ]);
});

test('labels choose samples and can be taken out', () => {
  const labelled = profileFromText(`
    f        f        f         f      f
    = 1      2        4         8      16
    ~ t=a    t=b      t=b,n:7   n:100  -
  `);
  const totals = (texts: FilterTexts) => buildTree(filtered(labelled, texts), 0).total[0];
  expect(totals({ tagfocus: 't:b' })).toBe(6n);
  expect(totals({ tagfocus: 't=^b$' })).toBe(6n);
  expect(totals({ tagfocus: 'a,t' })).toBe(1n);
  expect(totals({ tagfocus: 't=a,b' })).toBe(7n);
  expect(totals({ tagignore: 'b' })).toBe(25n);
  expect(totals({ tagfocus: '7' })).toBe(4n);
  expect(totals({ tagfocus: '7:' })).toBe(12n);
  expect(totals({ tagfocus: ':99' })).toBe(4n);
  expect(totals({ tagfocus: 'n=8:100' })).toBe(8n);
  expect(totals({ tagfocus: 'm=8:100' })).toBe(0n);
  const hidden = filtered(labelled, { taghide: '^n$' });
  expect(hidden.samples.length).toBe(3);
  expect(labelText(hidden, hidden.samples.labelSet[1] ?? 0, 't')).toBe('b');
  expect(filtered(labelled, { tagshow: 'n' }).samples.length).toBe(3);
});

test('a number without a unit takes that of its name; units are converted', () => {
  const sized = profileFromText(`
    f          f             f
    = 1        2             4
    ~ bytes:1048576 bytes:2097152 bytes:4194304
  `);
  const total = (tagfocus: string) => buildTree(filtered(sized, { tagfocus }), 0).total[0];
  expect(total('1mb:2mb')).toBe(3n);
  expect(total('2048kb')).toBe(2n);
  expect(total('bytes=2mb:')).toBe(6n);
  expect(total('1s:2s')).toBe(0n);
  expect(scaleUnit(1536n, 'bytes', 'kb')).toEqual({ value: 1.5, unit: 'kB' });
  expect(scaleUnit(-2n, 'milliseconds', 'us')).toEqual({ value: -2000, unit: 'us' });
  expect(scaleUnit(90n, 'seconds', 'MB')).toEqual({ value: 90, unit: 's' });
  expect(scaleUnit(90n, 'seconds', 'minutes')).toEqual({ value: 90, unit: 's' });
  expect(scaleUnit(3n, 'widgets', 'count')).toEqual({ value: 3, unit: '' });
});

test('expressions that are none, too long or out of range are refused by the filter at fault', () => {
  const refusal = (texts: FilterTexts) => {
    const compiled = compileFilters(texts);
    return compiled.ok ? 'taken' : `${compiled.name}: ${compiled.message}`;
  };
  expect(refusal({ focus: 'f', hide: 'a(' })).toBe('hide: error parsing regexp: missing closing ): `a(`');
  expect(refusal({ tagfocus: 'a,b(' })).toMatch(/^tagfocus: error parsing regexp/);
  expect(refusal({ show: 'x'.repeat(MAX_FILTER_LENGTH + 1) })).toMatch(/^show: .*longer than 1000/);
  expect(refusal({ tagignore: '9223372036854775808kb' })).toMatch(/^tagignore: 9223372036854775808 does not fit/);
  expect(refusal({ focus: '(?=x)' })).toMatch(/^focus: error parsing regexp/);
  expect(refusal({ focus: '' })).toBe('taken');
});

test('an expression that makes backtracking engines run for ever takes no time', () => {
  const name = 'a'.repeat(4000);
  const profile = profileFromText(`
    ${name}
  `);
  const startedAt = performance.now();
  expect(filtered(profile, { focus: '(a+)+$', ignore: '(a|aa)+b' }).samples.length).toBe(1);
  expect(performance.now() - startedAt).toBeLessThan(1000);
});

test('the work can be ended from outside', () => {
  const compiled = compileFilters({ focus: 'main' });
  if (!compiled.ok) throw new Error(compiled.message);
  const stop = () => {
    throw new RangeError('stopped');
  };
  expect(() => filterProfile(drawn, compiled.filters, stop)).toThrow('stopped');
});

test('sums beyond int64 are refused', () => {
  const huge = profileFromText(`
    a  b
    = 9223372036854775807 1
    f  f
  `);
  const compiled = compileFilters({ hide: '^[ab]$' });
  if (!compiled.ok) throw new Error(compiled.message);
  expect(() => filterProfile(huge, compiled.filters)).toThrow(expect.objectContaining({ code: 'overflow' }));
});
