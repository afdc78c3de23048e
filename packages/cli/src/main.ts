import { CommanderError } from 'commander';
import { CommandFailure, exitCodes } from './failure.ts';
import { createProgram } from './program.ts';

try {
  const program = await createProgram(process.argv.slice(2));
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    // commander has printed its message; --help and --version end here too, with 0.
    process.exitCode = error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  } else if (error instanceof CommandFailure) {
    process.stderr.write(`everflame: ${error.message}\n`);
    process.exitCode = error.exitCode;
  } else {
    throw error;
  }
}
