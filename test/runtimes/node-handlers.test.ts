import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { repositoryRoot } from '../support/everflame-process.ts';
import { nodeOfMajor } from '../support/node-versions.ts';
import { countOf, recordProgram } from '../support/runtime-stacks.ts';

const frequencyHz = 499;
/** What stands in a line of handlers.cjs that has this operation, and no other has. */
const operations: ReadonlyMap<string, string> = new Map([
  ['Builtins_BitwiseXorHandler', 'sum ^ n'],
  ['Builtins_BitwiseAndHandler', 'sum & turns'],
  ['Builtins_SubHandler', 'sum - n'],
  ['Builtins_BitwiseOrHandler', 'sum | n'],
]);

test.each([20, 24, 26])('lines of functions that Node.js %i interprets are those of their handlers', async (major) => {
  const script = join(repositoryRoot, 'test/workloads/runtimes/handlers.cjs');
  const source = readFileSync(script, 'utf8').split('\n');
  const flags = ['--no-opt', '--no-sparkplug', '--no-maglev'];
  const { stacks } = await recordProgram(nodeOfMajor(major), [...flags, script], frequencyHz, true);
  const told = stacks.filter(({ frames }) => operations.has(frames.at(-1)?.name ?? ''));
  const right = told.filter(({ frames }) => {
    const line = frames.findLast(({ script: file }) => file === 'handlers.cjs')?.line ?? 0;
    return source[line - 1]?.includes(operations.get(frames.at(-1)?.name ?? '') ?? '') === true;
  });
  console.info(JSON.stringify({ major, told: countOf(told), right: countOf(right) }));
  expect(countOf(told)).toBeGreaterThan(100);
  expect(countOf(right) / countOf(told)).toBeGreaterThan(0.95);
});
