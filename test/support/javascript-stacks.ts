import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { repositoryRoot } from './everflame-process.ts';
import {
  judgeScript,
  type PlantedRun,
  recordPlanted,
  type RuntimeFrame,
  type RuntimeStack,
  type Verdict,
} from './runtime-stacks.ts';

/** Not so many that copies of stacks at the process's start fill the ring when the machine is busy. */
const frequencyHz = 499;
const plantedScript = join(repositoryRoot, 'test/workloads/runtimes/planted.cjs');

/** Callers of `work` between `level` and it; `*` stands for frames of V8 itself, of which there is at least one. */
const longName =
  'aVeryLongNameThatGoesOnAndOnUntilNobodyWantsToReadItAnyMoreBecauseItHasMoreThanOneHundredCharactersInIt';
const chains: ReadonlyMap<string, readonly string[]> = new Map([
  ['alpha', ['alpha', 'renderInvoice', 'work']],
  ['beta', ['beta', 'Builtins_ArrayMap', '(anonymous)', 'work']],
  ['größe', ['größe', longName, 'work']],
  ['delta', ['delta', '*', 'toJSON', 'work']],
  ['epsilon', ['epsilon', 'closure', 'work']],
]);

/** Runs planted.cjs until it has used so much CPU. `flags` are for node, `rest` for the script. */
export async function recordPlantedScript(
  node: string,
  flags: readonly string[],
  cpuMs: number,
  rest: readonly string[] = [],
): Promise<PlantedRun> {
  return recordPlanted([node, ...flags], plantedScript, cpuMs, frequencyHz, rest);
}

/** Those of the program's own functions, not of its start. */
export function ofProgram(stacks: readonly RuntimeStack[]): readonly RuntimeStack[] {
  return stacks.filter(({ frames }) => frames.some(({ name, script }) => name === 'outer' && script !== ''));
}

/** At which lines of planted.cjs each of its functions spends time, as parts of their text; not at that of the declaration. */
const busyLines: Readonly<Record<string, readonly string[]>> = {
  work: ['let sum = 0', 'for (let n', 'sum = (sum', 'sum ^=', 'return sum'],
  renderInvoice: ['return work(turns)'],
  [longName]: ['return work(turns)'],
  alpha: ['return shop'],
  beta: ['return [50_000]'],
  '(anonymous)': ['return [50_000]'],
  größe: ['36_000', 'return aVery'],
  delta: ['JSON.stringify'],
  toJSON: ['JSON.stringify'],
  epsilon: ['const turns', 'const closure', 'return closure'],
  closure: ['const closure'],
  level: ['if (depth', 'for (let i', 'const before', 'planted[i]()', 'totals[i] +=', 'return 0'],
  zip: ['deflateSync(text)'],
  outer: ['for (let round', 'level(round', 'if (round'],
  cpu: ['process.cpuUsage', 'return user'],
};
const sourceLines = readFileSync(plantedScript, 'utf8').split('\n');

function isBusy({ name, line }: RuntimeFrame): boolean {
  const text = sourceLines[line - 1] ?? '';
  return (busyLines[plainName(name)] ?? []).some((each) => text.includes(each));
}

/** An anonymous function is told from others by its place. */
function plainName(name: string): string {
  return name.replace(/ planted\.cjs:\d+$/u, '');
}

/** Compares stacks of planted.cjs with what it says of itself. `root`: names of the first frame of its thread. */
export function judgePlanted(stacks: readonly RuntimeStack[], root: RegExp): Verdict {
  return judgeScript(ofProgram(stacks), root, { file: 'planted.cjs', functions: chains, isNamed, isBusy, isPlanted });
}

function isNamed(name: string): boolean {
  return name !== '' && !/^\[(?:anon|unmapped|stack cut|node\+)/.test(name) && name !== '(anonymous)';
}

/** Are the frames from `outer` on: outer, 21 or 201 times level, and the callers of `owner` as far as the sample got? */
function isPlanted(frames: readonly RuntimeFrame[], owner: string): boolean {
  const outer = frames.findIndex(({ name }) => name === 'outer');
  const names = frames.slice(outer).map(({ name }) => plainName(name));
  const levels = names.findIndex((name, i) => i > 0 && name !== 'level') - 1;
  if (levels !== 21 && levels !== 201) return false;
  let at = 1 + levels;
  for (const link of chains.get(owner) ?? []) {
    if (at >= names.length) return true;
    if (link === '*') {
      const next = names.indexOf('toJSON', at);
      // In V8's own code on the way there, or back.
      if (next < 0) return names.slice(at).every((name) => !chains.has(name) && name !== 'work');
      if (next === at) return false;
      at = next;
    } else if (names[at] === link) {
      at++;
    } else {
      // Native code that is called on the way, such as what makes the array or the closure.
      return frames.slice(frames.length - (names.length - at)).every(({ script }) => script === '');
    }
  }
  return frames.slice(frames.length - (names.length - at)).every(({ script }) => script === '');
}
