import { ProfileBuilder } from '@everflame/profile';
import { expect, test } from 'vitest';
import { FunctionTable } from '../profiles/function-table.ts';
import { countLines, type LineSide } from './line-counts.ts';

/** A sample at each of so many lines of a function, from `first` on. */
function side(first: number, lines: number): LineSide {
  const builder = new ProfileBuilder({ sampleTypes: [{ type: 'samples', unit: 'count' }] });
  const own = builder.function({ name: 'generated', file: 'generated.js' });
  for (let line = first; line < first + lines; line++)
    builder.add(builder.stack(0, builder.location({ lines: [{ function: own, line }] })), 0, [1n]);
  return { profile: builder.build(), typeIndex: 0, unitOf: () => 'one' };
}

test('code of more than 5,000 lines on both sides together is not looked at', () => {
  const table = new FunctionTable();
  const id = table.idOf('generated', 'generated.js');
  const places = { before: Uint32Array.of(0), after: Uint32Array.of(0), formerNames: new Map<number, string>() };
  const count = (before: LineSide, after: LineSide) => countLines([before], [after], table, places, new Set([id]));
  expect(count(side(1, 3000), side(1, 3000))?.functionId).toHaveLength(3000);
  expect(count(side(1, 3000), side(4001, 3000))).toBeNull();
  expect(count(side(1, 6000), side(1, 10))).toBeNull();
});
