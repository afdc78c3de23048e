import { Command } from 'commander';
import { runDemo } from '../demo/demo.ts';
import { option } from '../option.ts';
import { parseUrl, wholeNumber } from '../parse.ts';
import { onceSignalled } from '../signals.ts';

interface DemoFlags {
  readonly server?: URL;
  readonly seconds: number;
  readonly exit: boolean;
}

export function demoCommand(): Command {
  return new Command('demo')
    .description(
      'Run five instances of a small service in two versions under load, compare them, and print the verdict and where to look.',
    )
    .addOption(
      option('--server <url>', 'a running server (default: the one on this machine, else one is started)').argParser(
        parseUrl,
      ),
    )
    .addOption(option('--seconds <n>', 'how long each version runs').default(30).argParser(wholeNumber(25, 600)))
    .addOption(option('--exit', 'end after the comparison, also when the server was started for it').default(false))
    .action(async ({ server, seconds, exit }: DemoFlags) => {
      const interrupt = new AbortController();
      void onceSignalled().then(() => interrupt.abort());
      await runDemo({
        secondsPerVersion: seconds,
        exit,
        signal: interrupt.signal,
        ...(server === undefined ? {} : { server }),
      });
    });
}
