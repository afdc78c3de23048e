import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { repositoryRoot } from './everflame-process.ts';
import {
  countOf,
  judgeScript,
  type PlantedRun,
  recordPlanted,
  type RuntimeFrame,
  type RuntimeStack,
  type Verdict,
} from './runtime-stacks.ts';

const frequencyHz = 499;
const plantedScript = join(repositoryRoot, 'test/workloads/runtimes/planted.py');
const longName =
  'a_very_long_name_that_goes_on_and_on_until_nobody_wants_to_read_it_any_more_because_it_has_more_than_one_hundred_characters_in_it';

/** Functions between `level` and the leaf as each version from 3.11 on qualifies them; earlier ones have the part behind the last dot. */
const chains: ReadonlyMap<string, readonly string[]> = new Map([
  ['alpha', ['alpha', 'Shop.render_invoice', 'work']],
  ['beta', ['beta', 'beta.<locals>.<lambda>', 'work']],
  ['größe', ['größe', longName, 'work']],
  ['delta', ['delta', 'compare', 'work']],
  ['epsilon', ['epsilon', 'epsilon.<locals>.closure', 'epsilon.<locals>.closure.<locals>.<genexpr>', 'work']],
]);

/** Lines of planted.py at which each function spends time, as parts of their text; not at that of the definition. */
const busyLines: Readonly<Record<string, readonly string[]>> = {
  work: ['total = 0', 'for n in', 'total = (total', 'total ^=', 'return total'],
  render_invoice: ['return work(turns)'],
  [longName]: ['return work(turns)'],
  alpha: ['return shop.render'],
  beta: ['return max('],
  '<lambda>': ['return max('],
  größe: ['return a_very', '3600'],
  delta: ['return libc.qsort'],
  compare: ['return work(2400)'],
  epsilon: ['turns = (1000', 'def closure', 'return closure'],
  closure: ['return sum('],
  '<genexpr>': ['return sum('],
  level: ['if depth', 'return level', 'for i, function', 'before =', 'function()', 'totals[i] +=', 'return 0'],
  compressed: ['return len('],
  outer: ['turn = 0', 'while time', 'level(200', 'if turn', 'compressed()', 'turn += 1'],
  run: ['outer(time', 'with open', 'for function', 'file.write'],
};
const sourceLines = readFileSync(plantedScript, 'utf8').split('\n');

/** Runs planted.py until it has used so much CPU. */
export async function recordPlantedPython(
  python: string,
  cpuMs: number,
  rest: readonly string[] = [],
): Promise<PlantedRun> {
  return recordPlanted([python], plantedScript, cpuMs, frequencyHz, rest);
}

export interface PythonVerdict extends Verdict {
  /** Of `work` under qsort, and those with the C library and libffi just where they belong. */
  readonly callbacks: number;
  readonly callbacksInOrder: number;
  /** Of zlib, and those below the function that calls it. */
  readonly compressing: number;
  readonly compressingInOrder: number;
}

/** Compares stacks of planted.py with what it says of itself. `root`: names of the first frame of its thread. */
export function judgePython(stacks: readonly RuntimeStack[], root: RegExp, isQualified: boolean): PythonVerdict {
  const own = stacks.filter(({ frames }) =>
    frames.some(({ name, script }) => script === 'planted.py' && (name === 'outer' || name === 'level')),
  );
  const callbacks = own.filter(({ frames }) => frames.some(({ name, script }) => name === 'compare' && script !== ''));
  const compressing = own.filter(({ frames }) => frames.some(({ name }) => name === 'deflate'));
  const verdict = judgeScript(own, root, {
    file: 'planted.py',
    functions: chains,
    isNamed: (name) => !isNameless(name),
    isBusy,
    isPlanted: (frames, owner) => isPlanted(frames, owner, isQualified),
  });
  return {
    ...verdict,
    callbacks: countOf(callbacks),
    callbacksInOrder: countOf(callbacks.filter((each) => areInOrder(each, ['delta', 'ffi_call', 'qsort', 'compare']))),
    compressing: countOf(compressing),
    compressingInOrder: countOf(compressing.filter((each) => areInOrder(each, ['outer', 'compressed', 'deflate']))),
  };
}

/** The interpreter's loop where a function should be, or nothing at all. */
function isNameless(name: string): boolean {
  return name === '' || /^\[(?:anon|unmapped|stack cut|python|libpython)/u.test(name) || name.includes('_PyEval_');
}

function plainName(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1);
}

function isBusy({ name, line }: RuntimeFrame): boolean {
  const text = sourceLines[line - 1] ?? '';
  return (busyLines[plainName(name)] ?? []).some((each) => text.includes(each));
}

/** Are the functions from `outer` on: outer, 21 or 201 times level, and the chain of `owner` as far as the sample got? */
function isPlanted(frames: readonly RuntimeFrame[], owner: string, isQualified: boolean): boolean {
  const outer = frames.findIndex(({ name }) => name === 'outer');
  const names = frames.slice(outer).flatMap(({ name, script }) => (script === '' ? [] : [name]));
  const levels = names.findIndex((name, i) => i > 0 && name !== 'level') - 1;
  if (levels !== 21 && levels !== 201) return false;
  const chain = (chains.get(owner) ?? []).map((name) => (isQualified ? name : plainName(name)));
  const rest = names.slice(1 + levels);
  return rest.length <= chain.length && rest.every((name, i) => name === chain[i]);
}

/** Do the frames whose names begin so come in this order? */
function areInOrder({ frames }: RuntimeStack, starts: readonly string[]): boolean {
  let at = -1;
  for (const start of starts) {
    const next = frames.findIndex(({ name }, i) => i > at && name.startsWith(start));
    if (next < 0) return false;
    at = next;
  }
  return true;
}
