import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export const repositoryRoot = fileURLToPath(new URL('../../', import.meta.url));
const launcher = fileURLToPath(new URL('../../scripts/everflame.mjs', import.meta.url));

/** A running `everflame up` or `everflame server`. */
export interface EverflameProcess {
  /** What its ready line names. */
  readonly url: string;
  readonly child: ChildProcess;
  /** Everything on stdout and stderr so far. */
  output(): string;
  /** Sends the signal and waits for the end. Answers the exit code. */
  end(signal?: NodeJS.Signals): Promise<number | null>;
}

/** Starts the launcher as a user does and waits for its ready line; fails with its output when it ends before. */
export async function startEverflame(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<EverflameProcess> {
  return startCommand(process.execPath, [launcher, ...args], env);
}

/** Starts any command that ends up as an Everflame server, for example npm. */
export async function startCommand(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<EverflameProcess> {
  const child = spawn(command, args, {
    cwd: repositoryRoot,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  const output = (): string => lines.join('\n');
  const exited = once(child, 'exit');
  const ready = new Promise<string>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        lines.push(line);
        const url = /^ready (?<url>http:\S+)$/.exec(line)?.groups?.['url'];
        if (url !== undefined) resolve(url);
      });
    }
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`${command} ${args.join(' ')} ended before it was ready:\n${output()}`)));
  });
  const url = await ready;
  return {
    url,
    child,
    output,
    async end(signal = 'SIGTERM') {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill(signal);
        await exited;
      }
      return child.exitCode;
    },
  };
}
