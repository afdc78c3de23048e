import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';

const signalsUrl = new URL('signals.ts', import.meta.url).href;
/** Works for 2 s after it was told to end, as a command that ships what it has. */
const program = `
  import { onceSignalled } from ${JSON.stringify(signalsUrl)};
  const keepAlive = setInterval(() => {}, 1000);
  const signalled = onceSignalled();
  console.log('listening');
  console.log(await signalled);
  await new Promise((resolve) => setTimeout(resolve, 2000));
  clearInterval(keepAlive);
  console.log('finished');
`;

async function startListening(): Promise<{ child: ChildProcessWithoutNullStreams; output: () => string }> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', program]);
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  await once(child.stdout, 'data');
  return { child, output: () => text };
}

test('a signal that arrives twice at once, as npm passes it on, is one wish to end', async () => {
  const { child, output } = await startListening();
  const closed = once(child, 'close');
  child.kill('SIGTERM');
  await once(child.stdout, 'data');
  child.kill('SIGTERM');
  child.kill('SIGHUP');
  expect(await closed).toEqual([0, null]);
  expect(output()).toBe('listening\nSIGTERM\nfinished\n');
});

test('a second signal later on ends the process at once', async () => {
  const { child, output } = await startListening();
  const closed = once(child, 'close');
  child.kill('SIGINT');
  await once(child.stdout, 'data');
  await sleep(1100);
  child.kill('SIGINT');
  expect(await closed).toEqual([130, null]);
  expect(output()).toBe('listening\nSIGINT\n');
});
