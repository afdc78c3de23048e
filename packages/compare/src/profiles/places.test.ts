import { expect, test } from 'vitest';
import { FunctionTable } from './function-table.ts';
import { type FunctionWeights, placesOf } from './places.ts';

const samples = 10_000;

/** Functions drawn as `path:line samples-before samples-after`, without names; answers the name of the place of each that has another, by side. */
function placed(...drawn: readonly string[]) {
  const table = new FunctionTable();
  const rows = drawn.map((one) => {
    const [at = '', before = '0', after = '0'] = one.split(' ');
    const [path = '', line = ''] = at.split(':');
    const id = table.idOf(`(anonymous) ${path.slice(path.lastIndexOf('/') + 1)}:${line}`, path);
    return { id, before: Number(before), after: Number(after) };
  });
  const weights = (side: 'before' | 'after'): FunctionWeights => {
    const inclusive = new Float64Array(table.length);
    for (const row of rows) inclusive[row.id] = row[side];
    return { samples, inclusive };
  };
  const places = placesOf(table, weights('before'), weights('after'));
  const nameOf = (id: number): string => `${table.file[id]} ${table.name[id]?.replace('(anonymous) ', '')}`;
  const moves = (side: 'before' | 'after'): string[] =>
    [...places[side].entries()].flatMap(([id, to]) => (id === to ? [] : [`${nameOf(id)} > ${nameOf(to)}`]));
  const former = rows.filter((row) => row.before > 0);
  expect(new Set(former.map(({ id }) => places.before[id])).size).toBe(former.length);
  expect(places.before).toHaveLength(table.length);
  return { before: moves('before'), after: moves('after'), formerNames: places.formerNames };
}

test('functions without a name are the same behind an inserted line, though each has the name of another', () => {
  const { before, after, formerNames } = placed('a.js:10 300 310', 'a.js:20 500 0', 'a.js:21 80 490', 'a.js:22 0 90');
  expect(before).toEqual(['a.js a.js:20 > a.js a.js:21', 'a.js a.js:21 > a.js a.js:22']);
  expect(after).toEqual([]);
  expect([...formerNames.values()]).toEqual(['(anonymous) a.js:20', '(anonymous) a.js:21']);
});

test('in another directory, too', () => {
  const { before } = placed('/1/a.js:20 500 0', '/1/a.js:21 80 0', '/2/a.js:21 0 490', '/2/a.js:22 0 90');
  expect(before).toEqual(['/1/a.js a.js:20 > /2/a.js a.js:21', '/1/a.js a.js:21 > /2/a.js a.js:22']);
});

test('what is gone keeps no name that another has now', () => {
  const { before } = placed('a.js:20 500 0', 'a.js:22 100 510', 'a.js:30 400 0', 'a.js:32 0 400');
  expect(before).toContain('a.js a.js:20 > a.js a.js:22');
  expect(before).toContain('a.js a.js:22 > a.js a.js:22, before');
});

test('lines that stay are left alone, and so are files of which several have the name', () => {
  expect(placed('a.js:20 500 900', 'a.js:40 0 300').before).toEqual([]);
  expect(placed('/1/a.js:20 500 0', '/2/a.js:21 0 500', '/3/a.js:21 0 500').before).toEqual([]);
  expect(placed('/1/a.js:20 5 0', '/1/a.js:21 0 4').before).toEqual([]);
});
