import { Command } from 'commander';
import { AgentProcess } from '../agent-process.ts';
import { option } from '../option.ts';
import { onceSignalled } from '../signals.ts';
import { type ServerFlags, serverOptions } from '../server-flags.ts';

interface UpFlags extends ServerFlags {
  readonly agent: boolean;
}

export function upCommand(): Command {
  const command = new Command('up').description('Run the server and profile this machine: what `npm start` does.');
  for (const made of serverOptions()) command.addOption(made);
  return command.addOption(option('--no-agent', 'run the server without profiling this machine')).action(up);
}

async function up(flags: UpFlags): Promise<void> {
  const { lines, canSample } = flags.agent ? await lookAtHost() : { lines: [], canSample: false };
  for (const line of lines) process.stderr.write(`everflame: ${line}\n`);
  const { startServer } = await import('../start-server.ts');
  const server = await startServer(flags, lines);
  const agent = canSample
    ? new AgentProcess({ server: server.url, dataDir: flags.dataDir, onNotice: (line) => server.addNotice(line) })
    : null;
  // Who reads that it is ready may end it at once.
  const signalled = onceSignalled();
  process.stdout.write(`ready ${server.url}\n`);
  await signalled;
  // The agent goes first: what it has sampled is to be stored before the server closes.
  await agent?.stop();
  await server.close();
}

/** What keeps this host from being profiled, wholly or in part: a line each, with what still works and how to mend it. */
async function lookAtHost(): Promise<{ readonly lines: readonly string[]; readonly canSample: boolean }> {
  const { checkHost, formatFinding } = await import('@everflame/agent');
  const fromSetUp = (process.env['EVERFLAME_SETUP_NOTICES'] ?? '').split('\n').filter((line) => line !== '');
  const findings = checkHost();
  return {
    lines: [...fromSetUp, ...findings.map(formatFinding)],
    canSample: !findings.some((finding) => finding.blocksSampling),
  };
}
