import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { PathIndex } from './path-index.ts';
import { StackTable } from './stack-table.ts';

/** Over few locations, so that paths come again and share parts. */
const paths = fc.array(fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 6 }), { maxLength: 40 });
const locationOf = Uint32Array.of(0, 21, 22, 23, 24);

/** The locations of a row, leaf first. */
function pathOf({ words }: StackTable, row: number): number[] {
  return row === 0 ? [] : [words[row * 2 + 1] ?? 0, ...pathOf({ words } as StackTable, words[row * 2] ?? 0)];
}

test.each([0, 30, 1_000_000])('each path gets the row of its locations, with room for %i of them', (maxWords) => {
  fc.assert(
    fc.property(fc.array(paths, { maxLength: 8 }), (profiles) => {
      const table = new StackTable();
      const index = new PathIndex(table, maxWords);
      const seen = new Set<string>();
      for (const one of profiles) {
        const offset = new Uint32Array(one.length + 1);
        for (const [i, path] of one.entries()) offset[i + 1] = (offset[i] ?? 0) + path.length;
        const rows = index.internMany({ offset, location: Uint32Array.from(one.flat()) }, locationOf);
        const wanted = one.map((path) => path.map((location) => location + 20));
        expect(Array.from(rows, (row) => pathOf(table, row))).toEqual(wanted);
        for (const path of wanted) for (let i = 0; i < path.length; i++) seen.add(path.slice(i).join());
      }
      // No stack has two rows.
      expect(table.length - 1).toBe(seen.size);
    }),
  );
});
