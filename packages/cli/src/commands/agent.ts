import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { CommandFailure } from '../failure.ts';
import { option, runtimeFramesOption } from '../option.ts';
import { parseBytes, parseDurationMs, parseListen, wholeNumber } from '../parse.ts';
import { serverOption } from '../server-option.ts';
import { onceSignalled } from '../signals.ts';
import { everflameVersion } from '../version.ts';

/** Within the 5 s in which a stopped agent is to be gone. */
const shipDeadlineMs = 3000;

interface AgentFlags {
  readonly server: URL;
  readonly dataDir: string;
  readonly frequency: number;
  readonly interval: number;
  readonly hostName?: string;
  readonly runtimeFrames: boolean;
  readonly queueBytes: number;
  readonly metricsListen?: { readonly host: string; readonly port: number };
}

export function agentCommand(): Command {
  return new Command('agent')
    .description('Profile every process of this machine and ship the profiles to a server.')
    .addOption(serverOption())
    .addOption(
      option('--data-dir <dir>', 'where profiles wait while the server is away').default(join('data', 'agent')),
    )
    .addOption(
      option('-F, --frequency <hz>', 'samples a second on each CPU').default(99).argParser(wholeNumber(1, 10_000)),
    )
    .addOption(
      option('--interval <duration>', 'length of one profile').default(10_000, '10s').argParser(parseDurationMs),
    )
    .addOption(option('--host-name <name>', 'label host_name (default: the name of this host)'))
    .addOption(runtimeFramesOption())
    .addOption(
      option('--queue-bytes <size>', 'most that waits on disk; beyond it the oldest is dropped and counted')
        .default(256 * 2 ** 20, '256MiB')
        .argParser(parseBytes),
    )
    .addOption(
      option('--metrics-listen <host:port>', 'serve /metrics, /-/healthy and /-/ready there').argParser(parseListen),
    )
    .action(async (flags: AgentFlags) => {
      const [{ DataDirectoryLockedError, runAgent }, { asCommandFailure }] = await Promise.all([
        import('@everflame/agent'),
        import('../host-failure.ts'),
      ]);
      const stopped = Promise.race([onceSignalled(), parentGone()]);
      try {
        const agent = await runAgent({
          server: flags.server,
          dataDir: resolve(flags.dataDir),
          frequencyHz: flags.frequency,
          intervalMs: flags.interval,
          maxQueueBytes: flags.queueBytes,
          version: everflameVersion(),
          showsRuntimeFrames: flags.runtimeFrames,
          ...(flags.hostName === undefined ? {} : { hostName: flags.hostName }),
          ...(flags.metricsListen === undefined ? {} : { metricsListen: flags.metricsListen }),
        });
        await stopped;
        await agent.stop(shipDeadlineMs);
      } catch (error) {
        if (error instanceof DataDirectoryLockedError) throw new CommandFailure(error.message);
        throw asCommandFailure(error);
      } finally {
        // Waiting for the parent's end keeps this process alive as long as the parent is.
        if (process.connected) process.disconnect();
      }
    });
}

/** Resolves when the process that started this one as its agent is gone; never where nobody did. */
function parentGone(): Promise<void> {
  return new Promise((gone) => {
    if (process.connected) process.once('disconnect', () => gone());
  });
}
