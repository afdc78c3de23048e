import { diffFunctions, topFunctions } from '@everflame/profile';
import type { http } from '@everflame/protocols';
import { Command, InvalidArgumentError } from 'commander';
import { ApiClient } from '../api-client.ts';
import { compareFiles, hasSampleCounts } from '../diff/compare-files.ts';
import { compareService } from '../diff/compare-service.ts';
import { type FailOn, isFailure, isWholeFailure, outcomeOf } from '../diff/outcome.ts';
import { CommandFailure, exitCodes } from '../failure.ts';
import { option } from '../option.ts';
import { parseDurationMs, wholeNumber } from '../parse.ts';
import { readProfile, sampleTypeIndex } from '../profile-file.ts';
import { comparisonJunit } from '../render/comparison-junit.ts';
import { comparisonMarkdown } from '../render/comparison-markdown.ts';
import { formatComparison } from '../render/comparison-table.ts';
import { formatDiff } from '../render/diff-table.ts';
import { serverOption } from '../server-option.ts';

type Format = 'table' | 'json' | 'markdown' | 'junit';

interface DiffFlags {
  readonly server: URL;
  readonly service?: string;
  readonly before?: string;
  readonly after?: string;
  readonly env?: string;
  readonly from?: string;
  readonly until?: string;
  readonly wait?: number;
  readonly failOn?: FailOn;
  readonly minEffect: number;
  readonly q: number;
  readonly normalisation?: 'share' | 'cores' | 'request';
  readonly requestsBefore?: string;
  readonly requestsAfter?: string;
  readonly format: Format;
  readonly sampleType?: string;
  readonly number: number;
}

const exitHelp = `
Exit codes: 0 no regression, 1 a regression, 2 the command or its input is wrong or the server does not answer,
3 not enough data to tell. Two files without -- are only shown: give --fail-on to have them judged.

Examples:
  everflame diff --service api --before v1 --after v2 --wait --fail-on regression
  everflame diff --format markdown main/*.pb.gz -- branch/*.pb.gz
  everflame diff before.pb.gz after.pb.gz`;

/** A part of the whole: `2%` or `0.02`. */
function parsePart(below: number): (text: string) => number {
  return (text) => {
    const match = /^(?<number>\d+(?:\.\d+)?)(?<percent>%?)$/.exec(text);
    const value = Number(match?.groups?.['number']) / (match?.groups?.['percent'] === '%' ? 100 : 1);
    if (match === null || value >= below)
      throw new InvalidArgumentError(`expected a part below ${below}, for example 2% or 0.02`);
    return value;
  };
}

/** Knows how many words stood behind `--`, which commander drops. */
class DiffCommand extends Command {
  wordsBehind: number | null = null;

  override parseOptions(words: string[]): ReturnType<Command['parseOptions']> {
    const at = words.indexOf('--');
    this.wordsBehind = at < 0 ? null : words.length - at - 1;
    return super.parseOptions(words);
  }
}

export function diffCommand(): Command {
  return new DiffCommand('diff')
    .description(
      'What changed, and is it real: between two versions of a service, asked from a server, or between recorded pprof files, of which each is one run.',
    )
    .usage('[options] --service NAME --before V1 --after V2 | BEFORE... -- AFTER... | BEFORE AFTER')
    .argument('[files...]', 'pprof files: those before, then -- and those after; of two the -- may be left out')
    .addOption(serverOption())
    .addOption(option('--service <name>', 'service_name'))
    .addOption(option('--before <version>', 'service_version before'))
    .addOption(option('--after <version>', 'service_version after'))
    .addOption(option('--env <name>', 'deployment_environment_name'))
    .addOption(
      option(
        '--from <time>',
        'start: RFC 3339, Unix milliseconds or relative (default: the last hour of each version)',
      ),
    )
    .addOption(option('--until <time>', 'end, exclusive'))
    .addOption(
      option('--wait [time]', 'until there is enough data, at most so long: seconds, or with s, m or h (without: 10m)')
        .preset('10m')
        .argParser(parseDurationMs),
    )
    .addOption(
      option('--fail-on <what>', 'what exit code 1 means; likely: weak evidence, too (default: regression)').choices([
        'regression',
        'likely',
        'never',
      ]),
    )
    .addOption(
      option('--min-effect <part>', 'smallest relative change that matters')
        .default(0.02, '2%')
        .argParser(parsePart(10)),
    )
    .addOption(
      option('--q <part>', 'false discovery rate of what is found').default(0.05, '5%').argParser(parsePart(1)),
    )
    .addOption(
      option(
        '--normalisation <what>',
        'by what CPU is divided: all samples, instances, or requests (default: the runs, of files that are whole runs of a command; else all samples)',
      ).choices(['share', 'cores', 'request']),
    )
    .addOption(
      option(
        '--requests-before <list>',
        'with --service: requests that each unit of the before side served, host-1=1200,host-2=1300; files say it themselves (record --requests)',
      ),
    )
    .addOption(option('--requests-after <list>', 'the same of the after side'))
    .addOption(
      option('--format <format>', 'how it is written').choices(['table', 'json', 'markdown', 'junit']).default('table'),
    )
    .addOption(option('--sample-type <type>', 'which value of the files, for example cpu or inuse_space'))
    .addOption(option('-n, --number <rows>', 'how many functions').default(20).argParser(wholeNumber(1, 1_000_000)))
    .addHelpText('after', exitHelp)
    .action(async (files: readonly string[], flags: DiffFlags, command: DiffCommand) => {
      const sides = sidesOf(files, command.wordsBehind);
      if (sides === null) {
        const { answer, url } = await diffOfService(flags);
        report(answer, flags, url, flags.failOn ?? 'regression');
        return;
      }
      const { before, after, isSeparated } = sides;
      const failOn = flags.failOn ?? (isSeparated ? 'regression' : 'never');
      const compared = ofInput(() => {
        const [left, right] = [before[0], after[0]];
        if (!isSeparated && left !== undefined && right !== undefined && !hasSampleCounts(left, flags.sampleType))
          return { text: diffOfValues(left, right, flags) };
        return { answer: compareFiles({ sampleType: undefined, ...flags, before, after }) };
      });
      if (compared.answer === undefined) process.stdout.write(`${compared.text}\n`);
      else report(compared.answer, flags, null, failOn);
    });
}

/** 1 is a regression and nothing else: what fails in reading and comparing files is 2. */
function ofInput<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof CommandFailure) || error.exitCode !== exitCodes.failed) throw error;
    throw new CommandFailure(error.message, exitCodes.usage);
  }
}

interface Sides {
  readonly before: readonly string[];
  readonly after: readonly string[];
  readonly isSeparated: boolean;
}

/** `behind`: how many words stood behind `--`. Null: no files. */
function sidesOf(files: readonly string[], behind: number | null): Sides | null {
  if (behind === null) {
    if (files.length === 0) return null;
    if (files.length !== 2) throw new CommandFailure('give BEFORE... -- AFTER..., or two files', exitCodes.usage);
    return { before: files.slice(0, 1), after: files.slice(1), isSeparated: false };
  }
  const [before, after] = [files.slice(0, files.length - behind), files.slice(files.length - behind)];
  if (behind === 0 || before.length === 0)
    throw new CommandFailure('files are needed before and after the --', exitCodes.usage);
  return { before, after, isSeparated: true };
}

/** Writes the answer to stdout; what makes the command fail is thrown, and so written to stderr. */
function report(answer: http.CompareAnswer, { format, number }: DiffFlags, url: URL | null, failOn: FailOn): void {
  const outcome = outcomeOf(answer, failOn);
  const texts: Readonly<Record<Format, () => string>> = {
    table: () => formatComparison(answer, number) + (url === null ? '' : `\ncompare ${url.href}`),
    json: () => JSON.stringify(answer, null, 2),
    markdown: () => comparisonMarkdown(answer, number, url?.href ?? null),
    junit: () =>
      comparisonJunit(answer, number, (row) => isFailure(row, answer, failOn), isWholeFailure(answer, failOn)),
  };
  process.stdout.write(`${texts[format]()}\n`);
  if (outcome.exitCode !== exitCodes.ok) throw new CommandFailure(outcome.reason, outcome.exitCode);
}

async function diffOfService(flags: DiffFlags): Promise<{ readonly answer: http.CompareAnswer; readonly url: URL }> {
  const { server, service, before, after, env, from, until, normalisation, minEffect, q, wait = null } = flags;
  const requests = { before_requests: flags.requestsBefore, after_requests: flags.requestsAfter };
  if (service === undefined || before === undefined || after === undefined) {
    throw new CommandFailure('give files, or --service, --before and --after', exitCodes.usage);
  }
  const api = new ApiClient(server);
  const range = { service, before, after, env, from, until };
  const answer = await compareService(api, {
    parameters: { ...range, ...requests, normalisation, min_effect: String(minEffect), q: String(q) },
    failOn: flags.failOn ?? 'regression',
    waitMs: wait,
    say: (line) => void process.stderr.write(`${line}\n`),
  });
  return { answer, url: api.url('/compare', pageState(answer, range)) };
}

/** The page's address shows the ranges that were compared, which "the last hour" will not be tomorrow. */
function pageState(
  { summary }: http.CompareAnswer,
  { service, before, after }: Readonly<Record<'service' | 'before' | 'after', string>>,
): Record<string, string> {
  return {
    service,
    before,
    after,
    from: String(Math.min(summary.before.from, summary.after.from)),
    until: String(Math.max(summary.before.until, summary.after.until)),
  };
}

/** Self values of two profiles without sample counts, memory for example. Throws CommandFailure. */
function diffOfValues(beforeFile: string, afterFile: string, { sampleType, number }: DiffFlags): string {
  const sides = [readProfile(beforeFile), readProfile(afterFile)].map((profile) => {
    const typeIndex = sampleTypeIndex(profile, sampleType);
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
      exitCodes.usage,
    );
  }
  const diff = diffFunctions(before.functions, after.functions);
  const rows = diff.frames.name.map((name, row) => ({
    name,
    before: diff.before.self[row] ?? 0n,
    after: diff.after.self[row] ?? 0n,
    presence: diff.presence[row] ?? 'both',
  }));
  const table = formatDiff(rows.slice(0, number), before.total, after.total, before.type?.unit ?? '');
  return rows.length > number ? `${table}\n… and ${rows.length - number} more functions; -n shows them` : table;
}
