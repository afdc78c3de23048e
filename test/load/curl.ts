import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/**
 * Asks with curl and throws the answer away: how long it took, in ms. Several megabytes cost a client in Node.js 4 to 5 ms more, and twice that until V8 has compiled it.
 * Throws where the answer is not 200.
 */
export async function timedGet(url: string, accept: string): Promise<number> {
  const headers = ['--header', `accept: ${accept}`, '--header', 'accept-encoding: identity'];
  const { status, milliseconds } = await timed([...headers, url]);
  if (status !== '200') throw new Error(`${url} answered ${status}`);
  return milliseconds;
}

/** Posts a file with curl. */
export async function timedPost(url: string, path: string): Promise<{ status: string; milliseconds: number }> {
  // Without `expect: 100-continue`, for which curl would wait.
  return timed(['--header', 'expect:', '--data-binary', `@${path}`, url]);
}

async function timed(args: readonly string[]): Promise<{ status: string; milliseconds: number }> {
  const output = ['--output', '/dev/null', '--write-out', '%{http_code} %{time_total}'];
  const { stdout } = await promisify(execFile)('curl', ['--silent', '--show-error', ...output, ...args]);
  const [status = '', seconds] = stdout.split(' ');
  return { status, milliseconds: Number(seconds) * 1000 };
}
