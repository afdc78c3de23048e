import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { record, type Recording } from '@everflame/agent';

import { type PlantedTruth, readPlantedTruth } from './planted-truth.ts';
import { seenStacks, type SeenStack } from './seen-stacks.ts';

export interface PlantedRecording {
  readonly stacks: readonly SeenStack[];
  /** Of which only the innermost frames are judged: see setCutAside. */
  readonly aside?: readonly SeenStack[];
  readonly truth: PlantedTruth;
  readonly periodNs: number;
  /** Losses that happened, `name/cause` → count. */
  readonly losses: Readonly<Record<string, number>>;
}

let runs = 0;

/** A command with the word TRUTH, and whose samples are its program's (by `process_executable_name`): all when left out. */
export interface PlantedCommand {
  readonly command: readonly string[];
  readonly keep?: (name: string) => boolean;
}

/**
 * Runs a command under the recorder and reads what the program in it wrote of itself. `command` gets the path of the file for
 * the truth in place of the word TRUTH.
 */
export async function recordPlanted(
  folder: string,
  command: readonly string[],
  options: { readonly frequencyHz: number; readonly keep?: (name: string) => boolean },
): Promise<PlantedRecording> {
  const file = join(folder, `truth-${runs++}`);
  const [program = '', ...args] = command.map((word) => word.replaceAll('TRUTH', file));
  const recording = await recordCommand(options.frequencyHz, program, args);
  return readPlanted(readRecording(recording), file, options.keep);
}

/** Runs commands, `atATime` of them, under one recorder; answers what each program in them wrote of itself, and its samples, by title. */
export async function recordTogether(
  folder: string,
  atATime: number,
  commands: Readonly<Record<string, PlantedCommand>>,
  frequencyHz: number,
): Promise<(title: string) => PlantedRecording> {
  const planted = Object.entries(commands).map(([title, { command, keep }]) => {
    const file = join(folder, `truth-${runs++}`);
    const script = command.map((word) => `'${word.replaceAll('TRUTH', file)}'`).join(' ');
    return { title, file, keep, script: `exec ${script}` };
  });
  const scripts = join(folder, `scripts-${runs++}`);
  writeFileSync(scripts, planted.map(({ script }) => `${script}\0`).join(''));
  const args = ['-0', '-P', String(atATime), '-n', '1', '-a', scripts, 'sh', '-c'];
  const recording = readRecording(await recordCommand(frequencyHz, 'xargs', args));
  const read = new Map(planted.map(({ title, file, keep }) => [title, () => readPlanted(recording, file, keep)]));
  return (title) => {
    const one = read.get(title);
    if (one === undefined) throw new Error(`no program is called ${title}`);
    return one();
  };
}

async function recordCommand(frequencyHz: number, program: string, args: readonly string[]): Promise<Recording> {
  const recording = await record({
    frequencyHz,
    target: { kind: 'command', command: program, arguments: args },
    stdio: 'ignore',
  });
  if (recording.exitCode !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${recording.exitCode}`);
  return recording;
}

/** What is the same for all programs of a recording. */
type Read = Omit<PlantedRecording, 'truth' | 'aside'>;

function readRecording({ profile, losses }: Recording): Read {
  const happened = losses.filter((row) => row.total > 0);
  return {
    stacks: seenStacks(profile),
    periodNs: Number(profile.period),
    losses: Object.fromEntries(happened.map((row) => [`${row.name}/${row.cause}`, row.total])),
  };
}

function readPlanted(recording: Read, file: string, keep = (_name: string): boolean => true): PlantedRecording {
  if (!existsSync(file)) throw new Error(`the program for ${file} wrote no truth`);
  const stacks = recording.stacks.filter((each) => keep(each.labels['process_executable_name'] ?? ''));
  return { ...recording, stacks, truth: readPlantedTruth(file) };
}
