import { Worker } from 'node:worker_threads';
import type { Retention } from './retention.ts';
import type { MaintenanceReply, MaintenanceWorkerData } from './maintenance-worker.ts';

/** What is young is collected often: columns of blocks, outside of the heap, are given back only then. */
const resourceLimits = { maxYoungGenerationSizeMb: 6 };

/** How long a thread that ended by itself is left alone. */
const restartMs = 10_000;

/** Runs `Maintenance` in a thread of its own. What fails is logged and tried again. */
export class MaintenanceThread {
  readonly #workerData: MaintenanceWorkerData;
  readonly #log: (line: string) => void;
  #worker: Worker;
  #restart: NodeJS.Timeout | undefined;
  #isClosing = false;
  #lastMessage = '';

  constructor(dataDir: string, retention: Retention, log: (line: string) => void) {
    this.#workerData = { dataDir, retention };
    this.#log = log;
    this.#worker = this.#start();
  }

  /** Lets the step that is under way come to its end. */
  async close(): Promise<void> {
    this.#isClosing = true;
    clearTimeout(this.#restart);
    if (this.#worker.threadId < 0) return;
    const ended = new Promise((resolve) => this.#worker.once('exit', resolve));
    this.#worker.postMessage('close', []);
    await ended;
  }

  #start(): Worker {
    const url = new URL('maintenance-worker.ts', import.meta.url);
    const worker = new Worker(url, { workerData: this.#workerData, name: 'maintenance', resourceLimits });
    worker.on('message', (reply: MaintenanceReply) => {
      // A disk that stays full would fill the log as well.
      const message = reply.kind === 'failed' ? reply.message : '';
      if (message !== '' && message !== this.#lastMessage) this.#log(`maintenance of the store: ${message}`);
      this.#lastMessage = message;
    });
    worker.on('error', (error) => this.#log(`maintenance of the store has stopped: ${error.stack ?? error.message}`));
    worker.on('exit', () => {
      if (this.#isClosing) return;
      this.#restart = setTimeout(() => (this.#worker = this.#start()), restartMs);
      this.#restart.unref();
    });
    return worker;
  }
}
