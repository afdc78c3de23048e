import { Command } from 'commander';
import { agentCommand } from './commands/agent.ts';
import { backupCommand, restoreCommand } from './commands/backup.ts';
import { demoCommand } from './commands/demo.ts';
import { deployCommand } from './commands/deploy.ts';
import { diffCommand } from './commands/diff.ts';
import { findingsCommand } from './commands/findings.ts';
import { recordCommand } from './commands/record.ts';
import { serverCommand } from './commands/server.ts';
import { topCommand } from './commands/top.ts';
import { upCommand } from './commands/up.ts';
import { verifyCommand } from './commands/verify.ts';
import { everflameVersion } from './version.ts';

/** The whole command line. Throws CommanderError (usage, help) and CommandFailure (expected failures) instead of exiting. */
export function createProgram(): Command {
  const program = new Command('everflame')
    .description('Always-on profiler for Linux fleets: what uses the CPU, and what changed between two deployments.')
    .showSuggestionAfterError()
    .showHelpAfterError('(add --help for what can be given)')
    .enablePositionalOptions()
    .exitOverride();
  const commands = [
    upCommand,
    serverCommand,
    agentCommand,
    recordCommand,
    topCommand,
    diffCommand,
    deployCommand,
    findingsCommand,
    demoCommand,
    backupCommand,
    restoreCommand,
    verifyCommand,
  ];
  for (const make of commands) program.addCommand(inherit(program, make()));
  program.addCommand(
    inherit(
      program,
      new Command('version').description('Print the version.').action(() => {
        process.stdout.write(`everflame ${everflameVersion()} (Node.js ${process.version}, ${process.arch})\n`);
      }),
    ),
  );
  return program;
}

function inherit(program: Command, command: Command): Command {
  return command.copyInheritedSettings(program);
}
