import type { FunctionLine, FunctionLines } from '@everflame/profile';
import { expect, test } from 'vitest';
import { linesWanted, partsOf, rowsOf, type SourcePart } from './source-lines.ts';

/** `file:line total` and the build, cafe where it is left out. */
function drawn(...texts: readonly string[]): FunctionLines {
  const lines = texts.map((text): FunctionLine => {
    const [, file = '', line = '0', total = '0', buildId = 'cafe'] = /^(.*):(\d+) (\d+)(?: (\w+))?$/u.exec(text) ?? [];
    const value = BigInt(total);
    return {
      file,
      line: BigInt(line),
      binary: '/bin/app',
      buildId,
      self: 0n,
      total: value,
      samples: 1,
      selfSamples: 0,
    };
  });
  return { function: { self: 0n, total: 0n, samples: 0, selfSamples: 0 }, lines };
}

function part(...texts: readonly string[]): SourcePart {
  const found = partsOf(drawn(...texts)).parts[0];
  if (found === undefined) throw new Error('nothing drawn');
  return found;
}

const text = (first: number, last: number) => ({
  first,
  lines: Array.from({ length: last - first + 1 }, (_, index) => `text ${first + index}`),
});

function pictureOf(one: SourcePart, shown: Parameters<typeof rowsOf>[1]): string[] {
  return rowsOf(one, shown).map((row) =>
    row.kind === 'gap'
      ? `… ${row.count} from ${row.line}`
      : `${row.line} ${row.text ?? '-'} ${row.cost?.total ?? ''}`.trim(),
  );
}

test('lines are told apart by file and build; the part with the greatest line comes first', () => {
  const { parts, others } = partsOf(drawn('b.c:9 5', 'a.c:3 7', 'a.c:2 9', 'a.c:2 8 beef'));
  expect(parts.map(({ file, buildId, lines }) => [file, buildId, lines.map(({ line }) => Number(line))])).toEqual([
    ['a.c', 'cafe', [2, 3]],
    ['a.c', 'beef', [2]],
    ['b.c', 'cafe', [9]],
  ]);
  expect(others).toBe(0);
});

test('of a function of very many lines the heaviest stay', () => {
  const many = Array.from({ length: 2005 }, (_, index) => `a.c:${index + 1} ${index + 1}`);
  const { parts, others } = partsOf(drawn(...many));
  expect([parts[0]?.lines.length, Number(parts[0]?.lines[0]?.line), others]).toEqual([2000, 6, 5]);
});

test('with text there are three lines around each, and gaps; without, what costs something', () => {
  const one = part('a.c:5 1', 'a.c:7 2', 'a.c:20 3');
  expect(linesWanted(one)).toEqual({ first: 2, last: 23 });
  expect(pictureOf(one, text(2, 21))).toEqual([
    '2 text 2',
    '3 text 3',
    '4 text 4',
    '5 text 5 1',
    '6 text 6',
    '7 text 7 2',
    '8 text 8',
    '9 text 9',
    '10 text 10',
    '… 6 from 11',
    '17 text 17',
    '18 text 18',
    '19 text 19',
    '20 text 20 3',
    '21 text 21',
  ]);
  expect(pictureOf(one, null)).toEqual(['5 - 1', '7 - 2', '20 - 3']);
});

test('a line that is not known has a row; the file may have become shorter', () => {
  const one = part('a.c:0 4', 'a.c:1 1', 'a.c:9 2');
  expect(linesWanted(one)).toEqual({ first: 1, last: 12 });
  expect(pictureOf(one, text(1, 3))).toEqual([
    '0 - 4',
    '1 text 1 1',
    '2 text 2',
    '3 text 3',
    '… 2 from 4',
    '6 -',
    '7 -',
    '8 -',
    '9 - 2',
  ]);
  expect(linesWanted(part('a.c:0 4'))).toBe(null);
});
