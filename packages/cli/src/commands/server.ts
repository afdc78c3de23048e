import { Command } from 'commander';
import { onceSignalled } from '../signals.ts';
import { type ServerFlags, serverOptions } from '../server-flags.ts';

export function serverCommand(): Command {
  const command = new Command('server').description(
    'Run the server alone: store profiles, answer queries, serve the page.',
  );
  for (const option of serverOptions()) command.addOption(option);
  return command.action(async (flags: ServerFlags) => {
    const { startServer } = await import('../start-server.ts');
    const server = await startServer(flags, []);
    // Who reads that it is ready may end it at once.
    const signalled = onceSignalled();
    process.stdout.write(`ready ${server.url}\n`);
    await signalled;
    await server.close();
  });
}
