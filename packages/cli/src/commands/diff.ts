import { diffFunctions, topFunctions } from '@everflame/profile';
import type { http } from '@everflame/protocols';
import { Command } from 'commander';
import { ApiClient } from '../api-client.ts';
import { CommandFailure, exitCodes } from '../failure.ts';
import { option } from '../option.ts';
import { wholeNumber } from '../parse.ts';
import { readProfile, sampleTypeIndex } from '../profile-file.ts';
import { type DiffRow, formatDiff } from '../render/diff-table.ts';
import { serverOption } from '../server-option.ts';

interface DiffFlags {
  readonly server: URL;
  readonly service?: string;
  readonly before?: string;
  readonly after?: string;
  readonly from: string;
  readonly until: string;
  readonly sampleType?: string;
  readonly number: number;
}

export function diffCommand(): Command {
  return new Command('diff')
    .description('What changed: between two versions of a service, asked from a server, or between two pprof files.')
    .argument('[before-file]', 'pprof file')
    .argument('[after-file]', 'pprof file')
    .addOption(serverOption())
    .addOption(option('--service <name>', 'service_name'))
    .addOption(option('--before <version>', 'service_version before'))
    .addOption(option('--after <version>', 'service_version after'))
    .addOption(option('--from <time>', 'start: RFC 3339, Unix milliseconds or relative').default('now-24h'))
    .addOption(option('--until <time>', 'end, exclusive').default('now'))
    .addOption(option('--sample-type <type>', 'which value of the files, for example cpu or inuse_space'))
    .addOption(option('-n, --number <rows>', 'how many functions').default(20).argParser(wholeNumber(1, 1_000_000)))
    .action(async (beforeFile: string | undefined, afterFile: string | undefined, flags: DiffFlags) => {
      const diff = beforeFile === undefined ? await diffOfServer(flags) : diffOfFiles(beforeFile, afterFile, flags);
      process.stdout.write(`${formatDiff(diff.rows.slice(0, flags.number), diff.before, diff.after, diff.unit)}\n`);
      if (diff.rows.length > flags.number)
        process.stdout.write(`… and ${diff.rows.length - flags.number} more functions; -n shows them\n`);
    });
}

interface Diff {
  readonly rows: readonly DiffRow[];
  /** Totals of the sides. */
  readonly before: bigint;
  readonly after: bigint;
  readonly unit: string;
}

function diffOfFiles(beforeFile: string, afterFile: string | undefined, flags: DiffFlags): Diff {
  if (afterFile === undefined)
    throw new CommandFailure('two files are needed: everflame diff BEFORE AFTER', exitCodes.usage);
  const sides = [readProfile(beforeFile), readProfile(afterFile)].map((profile) => {
    const typeIndex = sampleTypeIndex(profile, flags.sampleType);
    const functions = topFunctions(profile, typeIndex);
    return {
      functions,
      type: profile.sampleTypes[typeIndex],
      total: functions.self.reduce((sum, self) => sum + self, 0n),
    };
  });
  const [before, after] = sides;
  if (before === undefined || after === undefined) throw new Error('two sides');
  if (before.type?.type !== after.type?.type || before.type?.unit !== after.type?.unit) {
    throw new CommandFailure(
      `the files measure different things: ${before.type?.type ?? ''} and ${after.type?.type ?? ''}; choose one with --sample-type`,
    );
  }
  const diff = diffFunctions(before.functions, after.functions);
  const rows = diff.frames.name.map((name, row) => ({
    name,
    before: diff.before.self[row] ?? 0n,
    after: diff.after.self[row] ?? 0n,
    presence: diff.presence[row] ?? 'both',
  }));
  return { rows, before: before.total, after: after.total, unit: before.type?.unit ?? '' };
}

async function diffOfServer({ server, service, before, after, from, until }: DiffFlags): Promise<Diff> {
  if (service === undefined || before === undefined || after === undefined) {
    throw new CommandFailure('give two files, or --service, --before and --after', exitCodes.usage);
  }
  const side = (version: string): string =>
    `{service_name=${JSON.stringify(service)}, service_version=${JSON.stringify(version)}}`;
  const answer = await new ApiClient(server).get<http.DiffAnswer>('/api/v1/diff', {
    before_query: side(before),
    after_query: side(after),
    before_from: from,
    before_until: until,
    after_from: from,
    after_until: until,
  });
  const rows = answer.functions.map((row) => ({
    name: row.name,
    before: BigInt(row.before.self),
    after: BigInt(row.after.self),
    presence: row.presence,
  }));
  return { rows, before: BigInt(answer.before.total), after: BigInt(answer.after.total), unit: answer.unit };
}
