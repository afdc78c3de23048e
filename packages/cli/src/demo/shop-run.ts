import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { CommandFailure } from '../failure.ts';

const startFile = fileURLToPath(new URL('../../../../examples/shop/start.mjs', import.meta.url));

/**
 * Runs one version of the sample service under its own load, to the end. What it prints goes to stderr when it fails.
 * Throws CommandFailure when it fails; rejects with the signal's reason when it is aborted.
 */
export async function runShop(version: string, seconds: number, signal: AbortSignal): Promise<void> {
  const args = [startFile, '--version', version, '--seconds', String(seconds)];
  // A group of its own: a terminal's Ctrl-C reaches the demo alone, which then ends the shop in order.
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const stop = () => void child.kill('SIGTERM');
  signal.addEventListener('abort', stop);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  signal.removeEventListener('abort', stop);
  signal.throwIfAborted();
  if (code === 0) return;
  process.stderr.write(output);
  throw new CommandFailure(`the shop ended with exit ${code ?? 'by a signal'}; its output is above`);
}
