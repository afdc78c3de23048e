import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';

export interface NumberedAgentOptions {
  readonly server: URL;
  readonly dataDir: string;
  /** Number n is the profile of second n after it. */
  readonly baseMs: number;
  readonly first: number;
  readonly intervalMs: number;
}

/** `numbered-agent.ts` as a process of its own. */
export interface NumberedAgent {
  /** Numbers of the profiles that were safe on disk when it said so. */
  readonly queued: readonly number[];
  /** Resolves when it has queued `count` profiles. */
  untilQueued(count: number): Promise<void>;
  /** Its exit code; null when the signal ended it. */
  kill(signal: NodeJS.Signals): Promise<number | null>;
}

export function startNumberedAgent(options: NumberedAgentOptions): NumberedAgent {
  const { server, dataDir, baseMs, first, intervalMs } = options;
  const program = path.join(import.meta.dirname, 'numbered-agent.ts');
  const args = [server.href, dataDir, baseMs, first, intervalMs].map(String);
  const child: ChildProcess = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const queued: number[] = [];
  const exited = once(child, 'close');
  if (child.stdout === null) throw new Error('no pipe from the agent');
  const lines = createInterface({ input: child.stdout });
  lines.on('line', (line) => queued.push(Number(line.slice('queued '.length))));
  return {
    queued,
    async untilQueued(count) {
      while (queued.length < count)
        await Promise.race([once(lines, 'line'), exited.then(() => Promise.reject(new Error('the agent has ended')))]);
    },
    async kill(signal) {
      child.kill(signal);
      const [code] = (await exited) as [number | null];
      return code;
    },
  };
}
