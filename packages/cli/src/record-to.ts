import { record, RecordFailure, type Recording } from '@everflame/agent';
import { type Profile, foldedStacks } from '@everflame/profile';
import type { RecordFlags } from './commands/record.ts';
import { CommandFailure, exitCodes } from './failure.ts';
import { asCommandFailure } from './host-failure.ts';
import { writeFile, writeProfile } from './profile-file.ts';
import { RequestCounter } from './requests/request-counter.ts';
import { asRun, withRequests } from './requests/requests-comment.ts';

/** What `everflame record` does: records, writes the file, says what was lost. The exit code is the command's own. */
export async function recordTo(command: readonly string[], flags: RecordFlags): Promise<void> {
  const output = flags.output ?? (flags.folded ? '-' : 'everflame.pb.gz');
  const target = targetOf(command, flags);
  const counter = flags.requests === undefined ? null : await RequestCounter.open(flags.requests, flags.requestCounter);
  const { recording, isWhole } = await recordWith(target, flags);
  const { exitCode } = recording;
  const counting = counter === null ? null : await settled(counted(recording.profile, counter));
  const plain = isWhole && exitCode === 0 ? asRun(recording.profile) : recording.profile;
  const profile = counting?.status === 'fulfilled' ? counting.value : plain;
  if (flags.folded) {
    const folded = foldedStacks(profile, 0, { kernelSuffix: '_[k]', prefixLabels: ['process_executable_name'] });
    if (output === '-') process.stdout.write(folded);
    else writeFile(output, folded);
  } else {
    writeProfile(output === '-' ? '/dev/stdout' : output, profile);
  }
  report(recording, output);
  process.exitCode = exitCode ?? 0;
  // What was recorded is written all the same.
  if (counting?.status === 'rejected') throw counting.reason;
}

async function settled<T>(work: Promise<T>): Promise<PromiseSettledResult<T>> {
  const [result] = await Promise.allSettled([work]);
  return result;
}

/** The counter is read a little before and after: so many as at the same rate came while the profile was taken. */
async function counted(profile: Profile, counter: RequestCounter): Promise<Profile> {
  const { requests, seconds } = await counter.counted();
  return withRequests(profile, (requests * Number(profile.durationNanos)) / (seconds * 1e9));
}

type Target = Parameters<typeof record>[0]['target'];

function targetOf([command, ...args]: readonly string[], flags: RecordFlags): Target {
  const given = [command !== undefined, flags.pid.length > 0, flags.all].filter(Boolean).length;
  if (given > 1) throw new CommandFailure('a command, -p and -a exclude each other', exitCodes.usage);
  if (command !== undefined) return { kind: 'command', command, arguments: args };
  if (flags.pid.length > 0) return { kind: 'pids', pids: flags.pid };
  return { kind: 'all' };
}

/** `isWhole`: a command ended by itself. */
async function recordWith(
  target: Target,
  flags: RecordFlags,
): Promise<{ readonly recording: Recording; readonly isWhole: boolean }> {
  const interrupt = new AbortController();
  // The first Ctrl-C ends the recording and writes the file; a command has got the same signal from the terminal.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interrupt.abort());
  try {
    const recording = await record({
      frequencyHz: flags.frequency,
      showsRuntimeFrames: flags.runtimeFrames,
      target,
      signal: interrupt.signal,
      ...(flags.duration === undefined ? {} : { durationMs: flags.duration }),
    });
    const isCut = interrupt.signal.aborted || flags.duration !== undefined;
    return { recording, isWhole: target.kind === 'command' && !isCut };
  } catch (error) {
    if (error instanceof RecordFailure)
      throw new CommandFailure(error.message, error.code === 'command_not_started' ? 127 : 1);
    throw asCommandFailure(error);
  }
}

/** On stderr, so that stdout stays the profile's or the command's. */
function report({ profile, losses }: Recording, output: string): void {
  const lost = losses.filter(({ total }) => total > 0).map(({ name, cause, total }) => `${name}/${cause} ${total}`);
  const where = output === '-' ? '' : ` in ${output}`;
  process.stderr.write(
    `everflame: ${samplesOf(profile)} samples${where}${lost.length === 0 ? '' : `; losses: ${lost.join(', ')}`}\n`,
  );
}

function samplesOf(profile: Profile): number {
  return profile.samples.count.reduce((sum, count) => sum + count, 0);
}
