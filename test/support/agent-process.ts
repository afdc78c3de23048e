import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

import { repositoryRoot } from './everflame-process.ts';
import { type Holdings, holdingsOf } from './kernel-holdings.ts';
import type { RecordingServer } from './recording-server.ts';
import { waitFor } from './wait-for.ts';

/** `everflame agent` as a user starts it, sending to a server of the test. */
export interface AgentProcess {
  readonly pid: number;
  holdings(): Holdings;
  /** Sends the signal and waits for the end. */
  end(signal: NodeJS.Signals): Promise<void>;
}

export interface AgentProcessOptions {
  readonly server: RecordingServer;
  readonly dataDir: string;
  readonly interval: string;
}

/** Resolves when its program is in the kernel. */
export async function startAgentProcess({ server, dataDir, interval }: AgentProcessOptions): Promise<AgentProcess> {
  const args = ['scripts/everflame.mjs', 'agent', '--server', server.url.href, '--data-dir', dataDir];
  const child: ChildProcess = spawn(process.execPath, [...args, '--interval', interval], {
    cwd: repositoryRoot,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const exited = once(child, 'exit');
  const { pid } = child;
  if (pid === undefined) throw new Error('the agent did not start');
  await waitFor('the agent to sample', () => {
    if (child.exitCode !== null) throw new Error(`the agent ended with ${child.exitCode}`);
    return holdingsOf(pid).programIds.length > 0 ? true : undefined;
  });
  return {
    pid,
    holdings: () => holdingsOf(pid),
    async end(signal) {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      await exited;
    },
  };
}
