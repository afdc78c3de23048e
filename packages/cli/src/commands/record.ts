import { Command } from 'commander';
import { option, runtimeFramesOption } from '../option.ts';
import { parseDurationMs, parseUrl, wholeNumber } from '../parse.ts';

export interface RecordFlags {
  readonly frequency: number;
  readonly pid: readonly number[];
  readonly all: boolean;
  readonly duration?: number;
  readonly output?: string;
  readonly folded: boolean;
  readonly runtimeFrames: boolean;
  readonly requests?: URL;
  readonly requestCounter: string;
}

const parsePid = wholeNumber(1, 2 ** 22);

export function recordCommand(): Command {
  return new Command('record')
    .description('Write a CPU profile of processes, of the whole machine or of a command, without any server.')
    .usage('[options] [-- command [arguments...]]')
    .argument('[command...]', 'profile this command and its children, from its first instruction to its exit')
    .passThroughOptions()
    .addOption(
      option('-F, --frequency <hz>', 'samples a second on each CPU').default(99).argParser(wholeNumber(1, 10_000)),
    )
    .addOption(
      option('-p, --pid <pid>', 'profile this process; may be given again')
        .default([], 'none')
        .argParser((text: string, before: readonly number[]) => [...before, ...text.split(',').map(parsePid)]),
    )
    .addOption(option('-a, --all', 'profile every process (the default without -p or a command)').default(false))
    .addOption(
      option('-d, --duration <time>', 'how long: seconds, or a number with ms, s, m or h').argParser(parseDurationMs),
    )
    .addOption(option('-o, --output <file>', 'file to write; - is stdout (default: everflame.pb.gz, with --folded: -)'))
    .addOption(option('--folded', 'folded stacks in place of pprof, kernel frames marked _[k]').default(false))
    .addOption(runtimeFramesOption())
    .addOption(
      option(
        '--requests <url>',
        'a page of metrics in the text format of Prometheus: requests served meanwhile go into the file, for diff --normalisation request',
      ).argParser(parseUrl),
    )
    .addOption(
      option(
        '--request-counter <metric>',
        'which counter of it, with labels: all series that fit are added up',
      ).default('http_requests_total'),
    )
    .action(async (command: readonly string[], flags: RecordFlags) => {
      // Loaded when it is needed: libbpf and the symbolizer are nothing that --help should wait for.
      const { recordTo } = await import('../record-to.ts');
      await recordTo(command, flags);
    });
}
