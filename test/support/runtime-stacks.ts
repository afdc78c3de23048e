import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { record } from '@everflame/agent';
import type { Profile } from '@everflame/profile';

import { readTruth } from './five-functions.ts';

export interface RuntimeFrame {
  readonly name: string;
  /** File name of the script; '' for native code. */
  readonly script: string;
  readonly line: number;
}

export interface RuntimeStack {
  readonly count: number;
  /** Root first. */
  readonly frames: readonly RuntimeFrame[];
}

export interface RuntimeRecording {
  readonly stacks: readonly RuntimeStack[];
  readonly losses: Readonly<Record<string, number>>;
}

/** Records a program of a runtime from its start to its end. Throws where it fails. */
export async function recordProgram(
  command: string,
  args: readonly string[],
  frequencyHz: number,
  showsRuntimeFrames = false,
): Promise<RuntimeRecording> {
  const target = { kind: 'command', command, arguments: args } as const;
  const { profile, losses, exitCode } = await record({ frequencyHz, target, stdio: 'ignore', showsRuntimeFrames });
  if (exitCode !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${exitCode}`);
  const happened = losses.filter(({ total }) => total > 0);
  return {
    stacks: stacksOf(profile),
    losses: Object.fromEntries(happened.map(({ name, cause, total }) => [`${name}/${cause}`, total])),
  };
}

function stacksOf(profile: Profile): RuntimeStack[] {
  const { stacks, locations, mappings, functions, strings, samples } = profile;
  return Array.from({ length: samples.length }, (_, sample) => {
    const frames: RuntimeFrame[] = [];
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

export function countOf(stacks: readonly { readonly count: number }[]): number {
  return stacks.reduce((sum, { count }) => sum + count, 0);
}

export interface PlantedRun extends RuntimeRecording {
  /** Microseconds of CPU of each of the five functions, by the program's own record. */
  readonly truth: ReadonlyMap<string, number>;
}

/** Runs a planted script, which writes what it spent into a file that it is given, until it has used so much CPU. `command`: what runs it, with its flags. */
export async function recordPlanted(
  [command = '', ...flags]: readonly string[],
  script: string,
  cpuMs: number,
  frequencyHz: number,
  rest: readonly string[],
): Promise<PlantedRun> {
  const folder = mkdtempSync(join(tmpdir(), 'everflame-planted-'));
  try {
    const file = join(folder, 'truth');
    const recording = await recordProgram(command, [...flags, script, file, String(cpuMs), ...rest], frequencyHz);
    return { ...recording, truth: readTruth(file) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** How stacks of one planted script are read. */
export interface PlantedScript {
  /** Its file name. */
  readonly file: string;
  /** The five functions. */
  readonly functions: { has(name: string): boolean };
  /** Has a frame its name, or a name that tells nothing? */
  readonly isNamed: (name: string) => boolean;
  /** Is it at a line where its function spends time? */
  readonly isBusy: (frame: RuntimeFrame) => boolean;
  /** Are the frames up to the leaf the planted callers of `owner` in their order? */
  readonly isPlanted: (frames: readonly RuntimeFrame[], owner: string) => boolean;
}

/** Samples. */
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

/** Compares the script's own stacks with what it says of itself. `root`: names of the first frame of its thread. */
export function judgeScript(stacks: readonly RuntimeStack[], root: RegExp, script: PlantedScript): Verdict {
  const inFunction = new Map<string, number>();
  const examples: string[] = [];
  const count = { whole: 0, planted: 0, asPlanted: 0, leaves: 0, rightLines: 0 };
  for (const { count: samples, frames } of stacks) {
    const isWhole = root.test(frames[0]?.name ?? '') && frames.every(({ name }) => script.isNamed(name));
    if (isWhole) count.whole += samples;
    const leaf = frames.findLast((frame) => frame.script !== '');
    if (leaf?.script === script.file) {
      count.leaves += samples;
      if (script.isBusy(leaf)) count.rightLines += samples;
      else if (examples.length < 5) examples.push(`${leaf.name}:${leaf.line}`);
    }
    const owner = frames.find((frame) => frame.script !== '' && script.functions.has(frame.name))?.name;
    const isRight = owner === undefined || script.isPlanted(frames, owner);
    if (owner !== undefined) {
      count.planted += samples;
      inFunction.set(owner, (inFunction.get(owner) ?? 0) + samples);
      if (isRight) count.asPlanted += samples;
    }
    if ((!isWhole || !isRight) && examples.length < 5) examples.push(shorten(frames));
  }
  return { total: countOf(stacks), ...count, inFunction, examples };
}

function shorten(frames: readonly RuntimeFrame[]): string {
  const text = frames.map(({ name }) => name).join(' > ');
  return text.replaceAll(/(?: > level)+/gu, (levels) => ` > level × ${levels.length / ' > level'.length}`);
}
