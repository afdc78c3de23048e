import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { ServerOptions } from '@everflame/server';
import runtime from '../../packages/cli/src/server-runtime.json' with { type: 'json' };

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A server in a process of its own, so that it can be killed. */
export interface ServerProcess {
  readonly url: string;
  readonly pid: number;
  /** Sends the signal and waits until the process is gone. */
  end(signal: NodeJS.Signals): Promise<void>;
}

/** Starts a server on a free port and waits until it is ready. */
export async function startServerProcess(
  dataDir: string,
  options: Partial<ServerOptions> = {},
): Promise<ServerProcess> {
  const script = fileURLToPath(new URL('serve.ts', import.meta.url));
  // As the `everflame` command starts it.
  const cache = { NODE_COMPILE_CACHE: join(root, '.everflame', 'compile-cache') };
  const env = { ...cache, ...runtime.environment, ...process.env };
  const args = [...runtime.flags, script, dataDir, '0', JSON.stringify(options)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'], env });
  const exited = once(child, 'exit');
  for await (const line of createInterface({ input: child.stdout })) {
    const url = /^ready (?<url>\S+)$/.exec(line)?.groups?.['url'];
    if (url === undefined) continue;
    return { url, pid: pidOf(child), end: (signal) => endChild(child, signal, exited) };
  }
  throw new Error(`the server ended before it was ready (exit code ${child.exitCode})`);
}

async function endChild(child: ChildProcess, signal: NodeJS.Signals, exited: Promise<unknown>): Promise<void> {
  child.kill(signal);
  await exited;
}

function pidOf(child: ChildProcess): number {
  if (child.pid === undefined) throw new Error('the server has no process id');
  return child.pid;
}
