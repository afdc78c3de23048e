import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { unwindStack } from './unwind-stack.ts';
import type { UnwindTable } from './unwind-table.ts';
import { checkUnwindTable } from './unwind-table-file.ts';
import { openUnwindVector, type UnwindVector } from './unwind-vector.ts';

const folder = join(import.meta.dirname, '../../../../test/corpus/unwind/vectors');
const files = readdirSync(folder).filter((name) => name.endsWith('.json'));

test('there are vectors', () => {
  expect(files.length).toBeGreaterThanOrEqual(8);
});

for (const file of files) {
  const vector = JSON.parse(readFileSync(join(folder, file), 'utf8')) as UnwindVector;
  test(`${file}: ${vector.name}`, () => {
    const { state, memory, mappings } = openUnwindVector(vector);
    for (const { unwind } of mappings) {
      expect(unwind.by === 'table' ? checkUnwindTable(unwind.table as UnwindTable) : undefined).toBeUndefined();
    }
    const { addresses, end } = unwindStack(state, memory, mappings, 512);
    const found = { addresses: addresses.map((each) => `0x${each.toString(16)}`), end };
    expect(found).toEqual({ addresses: vector.expected.addresses, end: vector.expected.end });
  });
  test(`${file}: without any one of its words the stack is another or says that it ends`, () => {
    for (const [missing] of vector.memory) {
      const cut = openUnwindVector({ ...vector, memory: vector.memory.filter(([address]) => address !== missing) });
      const { addresses, end } = unwindStack(cut.state, cut.memory, cut.mappings, 512);
      expect(addresses.length).toBeLessThanOrEqual(512);
      expect(end).not.toBe('depth');
    }
  });
}
