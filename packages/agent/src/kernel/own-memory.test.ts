import { readFileSync } from 'node:fs';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { OwnMemory } from './own-memory.ts';

/** Resident pages of Node.js's own file. */
function ownFileKb(): number {
  const parts = readFileSync('/proc/self/smaps', 'latin1').split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m);
  const own = parts.filter((one) => one.slice(0, one.indexOf('\n')).endsWith(process.execPath));
  return own.reduce((sum, one) => sum + Number(/^Rss:\s+(?<kb>\d+)/m.exec(one)?.groups?.['kb'] ?? 0), 0);
}

test('pages of Node.js’s own file that are not used leave the process, and what is used comes back', () => {
  const before = ownFileKb();
  expect(before).toBeGreaterThan(20_000);
  const memory = new OwnMemory();
  memory.giveBack();
  expect(ownFileKb()).toBeLessThan(before / 2);
  // Code that was given back is run: the compiler's, the parser's, that of regular expressions.
  expect(runInNewContext(String.raw`[...'12345'.matchAll(/\d/g)].length + 2`)).toBe(7);
  expect(JSON.parse('{"a":[1,2]}')).toEqual({ a: [1, 2] });
});
