import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { everflameVersion } from './version.ts';

/**
 * How the agent's Node.js is run, here and by scripts/everflame.mjs. It lives long beside others and makes little garbage: a small young
 * generation and few malloc arenas took it from 208 to 165 MB resident, measured side by side on a busy machine, for the same CPU. glibc raises its
 * two thresholds as it meets larger blocks and then keeps what was freed; held where they begin, reading the symbols of the kernel and of
 * Node.js leaves 92 MB in place of 116. The code of the demangler is compiled once and stays: where V8 replaces WebAssembly code in one thread
 * while another runs it, its registry of code pages can lose an entry, and the process ends with `Check failed: jit_page_` (nodejs/node#64500;
 * seen once here, with several threads that read symbols).
 */
const runtime = JSON.parse(readFileSync(new URL('agent-runtime.json', import.meta.url), 'utf8')) as {
  readonly flags: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
};

/** The agent ships and exits within this time of a SIGTERM; then it is killed. */
const stopTimeoutMs = 4500;
const firstRestartDelayMs = 1000;
const longestRestartDelayMs = 60_000;

interface AgentProcessOptions {
  readonly server: string;
  /** The agent keeps its queue in `agent/` below it. */
  readonly dataDir: string;
  /** Called with a line when the agent ended by itself. */
  readonly onNotice: (line: string) => void;
}

/**
 * The agent as a process of its own beside the server: its cost is seen apart, and a failure in it does not take the
 * server down. Started again, with growing delays, when it ends by itself.
 */
export class AgentProcess {
  readonly #options: AgentProcessOptions;
  #child: ChildProcess | null = null;
  #isStopping = false;
  #restartDelayMs = firstRestartDelayMs;
  #restartTimer: NodeJS.Timeout | undefined;

  constructor(options: AgentProcessOptions) {
    this.#options = options;
    this.#start();
  }

  #start(): void {
    const main = fileURLToPath(new URL('main.ts', import.meta.url));
    const args = [
      ...runtime.flags,
      main,
      'agent',
      '--server',
      this.#options.server,
      '--data-dir',
      join(this.#options.dataDir, 'agent'),
    ];
    const env = {
      ...process.env,
      ...runtime.environment,
      OTEL_SERVICE_NAME: 'everflame-agent',
      OTEL_RESOURCE_ATTRIBUTES: `service.version=${everflameVersion()}`,
    };
    const startedAt = Date.now();
    // A group of its own: a terminal's Ctrl-C reaches the server alone, which then ends the agent in order. The channel
    // closes when this process dies, however it dies, and the agent ends with it.
    const stdio = ['ignore', 'ignore', 'inherit', 'ipc'] as const;
    const child = spawn(process.execPath, args, { env, stdio: [...stdio], detached: true });
    this.#child = child;
    child.on('error', (error) => this.#ended(`could not be started: ${error.message}`, startedAt));
    child.on('exit', (code, signal) => this.#ended(`ended by itself (${signal ?? `exit ${code}`})`, startedAt));
  }

  #ended(what: string, startedAt: number): void {
    this.#child = null;
    if (this.#isStopping) return;
    // It ran well for a while: the next failure is a new one.
    if (Date.now() - startedAt > longestRestartDelayMs) this.#restartDelayMs = firstRestartDelayMs;
    const delayMs = this.#restartDelayMs;
    this.#restartDelayMs = Math.min(delayMs * 2, longestRestartDelayMs);
    const line = `the agent ${what}; it is started again in ${delayMs / 1000} s. Its own messages are on the server's stderr.`;
    process.stderr.write(`everflame: ${line}\n`);
    this.#options.onNotice(line);
    this.#restartTimer = setTimeout(() => this.#start(), delayMs);
  }

  /** Ends the agent; resolves when it has shipped what it sampled, or was killed because it took too long. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    clearTimeout(this.#restartTimer);
    const child = this.#child;
    if (child === null) return;
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill('SIGTERM');
    const timer = setTimeout(() => {
      process.stderr.write(
        `everflame: the agent did not end within ${stopTimeoutMs} ms and was killed; what it had sampled stays in its queue\n`,
      );
      child.kill('SIGKILL');
    }, stopTimeoutMs);
    await exited;
    clearTimeout(timer);
  }
}
