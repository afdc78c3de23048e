import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { CommandFailure } from '../failure.ts';

const startFile = fileURLToPath(new URL('../../../../examples/shop/start.mjs', import.meta.url));

/** When the shops were up and when their load ended, Unix ms. */
export interface ShopRun {
  readonly readyMs: number;
  readonly endMs: number;
}

export interface ShopLoad {
  readonly version: string;
  readonly instances: number;
  readonly requestsPerSecond: number;
  readonly seconds: number;
}

/**
 * Runs instances of one version of the sample service under their own load, to the end. What they print goes to stderr when they fail.
 * Throws CommandFailure when they fail; rejects with the signal's reason when it is aborted.
 */
export async function runShop(load: ShopLoad, signal: AbortSignal): Promise<ShopRun> {
  const { version, instances, requestsPerSecond, seconds } = load;
  const flags = { version, instances, rate: requestsPerSecond, seconds };
  const args = [startFile, ...Object.entries(flags).flatMap(([name, value]) => [`--${name}`, String(value)])];
  // A group of its own: a terminal's Ctrl-C reaches the demo alone, which then ends the shop in order.
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  let output = '';
  const readyMs: number[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (readyMs.length === 0 && output.split(': ready http').length > instances) readyMs.push(Date.now());
    });
  const stop = () => void child.kill('SIGTERM');
  signal.addEventListener('abort', stop);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  signal.removeEventListener('abort', stop);
  signal.throwIfAborted();
  const [ready] = readyMs;
  if (code === 0 && ready !== undefined) return { readyMs: ready, endMs: Date.now() };
  process.stderr.write(output);
  throw new CommandFailure(`the shop ended with exit ${code ?? 'by a signal'}; its output is above`);
}
