import { existsSync } from 'node:fs';
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

/**
 * Runs a command under the recorder and reads what the program in it wrote of itself. `command` gets the path of the file for
 * the truth in place of the word TRUTH. `keep` is asked whose samples are the program's (by `process_executable_name`): all when left out.
 */
export async function recordPlanted(
  folder: string,
  command: readonly string[],
  options: { readonly frequencyHz: number; readonly keep?: (name: string) => boolean },
): Promise<PlantedRecording> {
  const file = join(folder, `truth-${runs++}`);
  const [program = '', ...args] = command.map((word) => word.replaceAll('TRUTH', file));
  const recording: Recording = await record({
    frequencyHz: options.frequencyHz,
    target: { kind: 'command', command: program, arguments: args },
    stdio: 'ignore',
  });
  if (recording.exitCode !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${recording.exitCode}`);
  if (!existsSync(file)) throw new Error(`${program} wrote no truth`);
  const truth = readPlantedTruth(file);
  const keep = options.keep ?? ((): boolean => true);
  const stacks = seenStacks(recording.profile).filter((each) => keep(each.labels['process_executable_name'] ?? ''));
  const happened = recording.losses.filter((row) => row.total > 0);
  const losses = Object.fromEntries(happened.map((row) => [`${row.name}/${row.cause}`, row.total]));
  return { stacks, truth, periodNs: Number(recording.profile.period), losses };
}
