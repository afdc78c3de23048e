import { Command } from 'commander';
import { everflameVersion } from './version.ts';

/** By name, in the order of the help. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  up: async () => (await import('./commands/up.ts')).upCommand(),
  server: async () => (await import('./commands/server.ts')).serverCommand(),
  agent: async () => (await import('./commands/agent.ts')).agentCommand(),
  record: async () => (await import('./commands/record.ts')).recordCommand(),
  top: async () => (await import('./commands/top.ts')).topCommand(),
  diff: async () => (await import('./commands/diff.ts')).diffCommand(),
  deploy: async () => (await import('./commands/deploy.ts')).deployCommand(),
  findings: async () => (await import('./commands/findings.ts')).findingsCommand(),
  demo: async () => (await import('./commands/demo.ts')).demoCommand(),
  backup: async () => (await import('./commands/backup.ts')).backupCommand(),
  restore: async () => (await import('./commands/backup.ts')).restoreCommand(),
  verify: async () => (await import('./commands/verify.ts')).verifyCommand(),
  version: async () =>
    new Command('version').description('Print the version.').action(() => {
      process.stdout.write(`everflame ${everflameVersion()} (Node.js ${process.version}, ${process.arch})\n`);
    }),
};

/**
 * The command line of `words`: with the command that the first of them names alone, since an agent runs for months and has no use for what the others load; with
 * all commands where it names none. Parsing throws CommanderError (usage, help) and CommandFailure (expected failures) instead of exiting.
 */
export async function createProgram(words: readonly string[]): Promise<Command> {
  const program = new Command('everflame')
    .description('Always-on profiler for Linux fleets: what uses the CPU, and what changed between two deployments.')
    .version(everflameVersion())
    .showSuggestionAfterError()
    .showHelpAfterError('(add --help for what can be given)')
    .enablePositionalOptions()
    .exitOverride();
  const [named = ''] = words;
  const own = Object.hasOwn(commands, named) ? commands[named] : undefined;
  for (const make of own === undefined ? Object.values(commands) : [own])
    program.addCommand((await make()).copyInheritedSettings(program));
  return program;
}
