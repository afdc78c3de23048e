import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { record } from '@everflame/agent';
import type { Profile } from '@everflame/profile';
import { repositoryRoot } from './everflame-process.ts';
import { readTruth } from './five-functions.ts';

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

export interface JavaScriptFrame {
  readonly name: string;
  /** File name of the script; '' for native code. */
  readonly script: string;
  readonly line: number;
}

export interface JavaScriptStack {
  readonly count: number;
  /** Root first. */
  readonly frames: readonly JavaScriptFrame[];
}

export interface JavaScriptRecording {
  readonly stacks: readonly JavaScriptStack[];
  readonly losses: Readonly<Record<string, number>>;
}

export async function recordNode(node: string, args: readonly string[], rateHz: number): Promise<JavaScriptRecording> {
  const target = { kind: 'command', command: node, arguments: args } as const;
  const { profile, losses, exitCode } = await record({ frequencyHz: rateHz, target, stdio: 'ignore' });
  if (exitCode !== 0) throw new Error(`${node} ${args.join(' ')} ended with ${exitCode}`);
  const happened = losses.filter(({ total }) => total > 0);
  return {
    stacks: stacksOf(profile),
    losses: Object.fromEntries(happened.map(({ name, cause, total }) => [`${name}/${cause}`, total])),
  };
}

export interface PlantedRun extends JavaScriptRecording {
  /** Microseconds of CPU of each of the five functions, by the program's own record. */
  readonly truth: ReadonlyMap<string, number>;
}

/** Runs planted.cjs until it has used so much CPU. `flags` are for node, `rest` for the script. */
export async function recordPlantedScript(
  node: string,
  flags: readonly string[],
  cpuMs: number,
  rest: readonly string[] = [],
): Promise<PlantedRun> {
  const folder = mkdtempSync(join(tmpdir(), 'everflame-planted-'));
  try {
    const file = join(folder, 'truth');
    const recording = await recordNode(node, [...flags, plantedScript, file, String(cpuMs), ...rest], frequencyHz);
    return { ...recording, truth: readTruth(file) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function stacksOf(profile: Profile): JavaScriptStack[] {
  const { stacks, locations, mappings, functions, strings, samples } = profile;
  return Array.from({ length: samples.length }, (_, sample) => {
    const frames: JavaScriptFrame[] = [];
    for (let row = samples.stack[sample] ?? 0; row !== 0; row = stacks.parent[row] ?? 0) {
      const location = stacks.location[row] ?? 0;
      const isScript = strings[mappings.fileString[locations.mapping[location] ?? 0] ?? 0] === '//anon';
      for (let at = locations.lineOffset[location] ?? 0; at < (locations.lineOffset[location + 1] ?? 0); at++) {
        const its = locations.lineFunction[at] ?? 0;
        const file = strings[functions.fileString[its] ?? 0] ?? '';
        frames.push({
          name: strings[functions.nameString[its] ?? 0] ?? '',
          script: isScript ? file.slice(file.lastIndexOf('/') + 1) : '',
          line: Number(locations.lineNumber[at]),
        });
      }
    }
    const count = Number(samples.values[sample * profile.sampleTypes.length]);
    return { count, frames: frames.reverse() };
  });
}

export function countOf(stacks: readonly JavaScriptStack[]): number {
  return stacks.reduce((sum, { count }) => sum + count, 0);
}

/** Those of the program's own functions, not of its start. */
export function ofProgram(stacks: readonly JavaScriptStack[]): readonly JavaScriptStack[] {
  return stacks.filter(({ frames }) => frames.some(({ name, script }) => name === 'outer' && script !== ''));
}

export interface Verdict {
  readonly total: number;
  /** Reach the root and name every frame. */
  readonly whole: number;
  /** In one of the five functions. */
  readonly planted: number;
  /** Of those, with just the planted callers in their order. */
  readonly asPlanted: number;
  readonly inFunction: ReadonlyMap<string, number>;
  /** Innermost frames of the script, and how many of them are at a line where time is spent. */
  readonly leaves: number;
  readonly rightLines: number;
  readonly examples: readonly string[];
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

function isBusy({ name, line }: JavaScriptFrame): boolean {
  const text = sourceLines[line - 1] ?? '';
  return (busyLines[plainName(name)] ?? []).some((each) => text.includes(each));
}

/** An anonymous function is told from others by its place. */
function plainName(name: string): string {
  return name.replace(/ planted\.cjs:\d+$/u, '');
}

/** Compares stacks of planted.cjs with what it says of itself. `root`: names of the first frame of its thread. */
export function judgePlanted(stacks: readonly JavaScriptStack[], root: RegExp): Verdict {
  const inFunction = new Map<string, number>();
  const examples: string[] = [];
  let [total, whole, planted, asPlanted, leaves, rightLines] = [0, 0, 0, 0, 0, 0];
  for (const { count, frames } of ofProgram(stacks)) {
    total += count;
    const isWhole = root.test(frames[0]?.name ?? '') && frames.every(({ name }) => isNamed(name));
    if (isWhole) whole += count;
    const leaf = frames.findLast(({ script }) => script !== '');
    if (leaf?.script === 'planted.cjs') {
      leaves += count;
      if (isBusy(leaf)) rightLines += count;
    }
    const owner = frames.find(({ name, script }) => script !== '' && chains.has(name))?.name;
    const isRight = owner === undefined || isPlanted(frames, owner);
    if (owner !== undefined) {
      planted += count;
      inFunction.set(owner, (inFunction.get(owner) ?? 0) + count);
      if (isRight) asPlanted += count;
    }
    if ((!isWhole || !isRight) && examples.length < 5) examples.push(frames.map(({ name }) => name).join(' > '));
  }
  return { total, whole, planted, asPlanted, inFunction, leaves, rightLines, examples };
}

function isNamed(name: string): boolean {
  return name !== '' && !/^\[(?:anon|unmapped|stack cut|node\+)/.test(name) && name !== '(anonymous)';
}

/** Are the frames from `outer` on: outer, 21 or 201 times level, and the callers of `owner` as far as the sample got? */
function isPlanted(frames: readonly JavaScriptFrame[], owner: string): boolean {
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
