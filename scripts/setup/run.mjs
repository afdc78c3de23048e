// Runs a child and says, when it fails, which command failed and with what output.
import { spawnSync } from 'node:child_process';

export class SetupError extends Error {
  /** One line for the user: what is missing or failed, and how to mend it. */
  constructor(message) {
    super(message);
    this.name = 'SetupError';
  }
}

/** `quiet` keeps the output back unless the command fails; stdout of set-up never mixes with the product's own. */
export function run(command, args, { cwd, env = process.env, quiet = true, input } = {}) {
  const result = spawnSync(command, args, {
    cwd,
    env,
    input,
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
    stdio: [input === undefined ? 'ignore' : 'pipe', quiet ? 'pipe' : process.stderr, quiet ? 'pipe' : process.stderr],
  });
  if (result.error) throw new SetupError(`cannot run ${command}: ${result.error.message}`);
  if (result.status !== 0) {
    if (quiet) process.stderr.write(`${result.stdout}${result.stderr}`);
    throw new SetupError(`\`${command} ${args.join(' ')}\` failed (exit ${result.status ?? result.signal})`);
  }
  return result.stdout;
}

/** Path of a program on PATH, or null. */
export function which(program) {
  const result = spawnSync('sh', ['-c', 'command -v "$1"', 'sh', program], { encoding: 'utf8' });
  return result.status === 0 ? result.stdout.trim() : null;
}

export function say(message) {
  process.stderr.write(`everflame: ${message}\n`);
}

/** Runs the steps of a set-up; a SetupError ends the process with its one line, anything else is a bug and keeps its stack. */
export async function setUp(steps) {
  try {
    return await steps();
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    say(error.message);
    return process.exit(1);
  }
}
