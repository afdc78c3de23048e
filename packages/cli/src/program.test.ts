import type { Command } from 'commander';
import { expect, test } from 'vitest';
import { loadedModules } from '../../../test/support/loaded-modules.ts';
import { createProgram } from './program.ts';

/** Runs a command line whose action is not reached; answers what commander writes to stderr. */
async function messageOf(...args: string[]): Promise<string> {
  let written = '';
  const quiet = (command: Command): void => {
    command.configureOutput({ writeErr: (text) => void (written += text), writeOut: () => undefined });
    for (const child of command.commands) quiet(child);
  };
  const program = await createProgram(args);
  quiet(program);
  await expect(program.parseAsync(args, { from: 'user' })).rejects.toThrow();
  return written;
}

test('every flag has an environment variable of its name', async () => {
  const missing = (await createProgram([])).commands.flatMap((command) =>
    command.options
      .filter((option) => !/^EVERFLAME_[A-Z_]+$/.test(option.envVar ?? ''))
      .map((option) => `${command.name()} ${option.flags}`),
  );
  expect(missing).toEqual([]);
});

test('the commands are those that the README names', async () => {
  expect((await createProgram([])).commands.map((command) => command.name())).toEqual([
    'up',
    'server',
    'agent',
    'record',
    'top',
    'diff',
    'deploy',
    'findings',
    'demo',
    'backup',
    'restore',
    'verify',
    'version',
  ]);
});

test('an unknown flag is refused with the nearest name', async () => {
  expect(await messageOf('up', '--data-dri', 'x')).toContain('(Did you mean --data-dir?)');
  expect(await messageOf('record', '--freqency', '3')).toContain('(Did you mean --frequency?)');
});

test('an unknown command is refused with the nearest name', async () => {
  expect(await messageOf('recrod')).toContain('(Did you mean record?)');
});

test('a bad value is refused with what was expected', async () => {
  expect(await messageOf('server', '--listen', 'nowhere')).toContain('expected HOST:PORT');
  expect(await messageOf('record', '-d', 'soon')).toContain('expected seconds');
});

test('what follows -- belongs to the recorded command, also when it looks like a flag', async () => {
  const record = (await createProgram(['record'])).commands.find((command) => command.name() === 'record');
  const seen: unknown[] = [];
  record?.action((command: unknown) => void seen.push(command));
  await record?.parseAsync(['-F', '999', '--', 'make', '-j2', '-F', '1'], { from: 'user' });
  expect(seen).toEqual([['make', '-j2', '-F', '1']]);
  expect(record?.opts()['frequency']).toBe(999);
});

test('a process of the agent loads nothing that only reads profiles or compares them', () => {
  const work = `
    const { createProgram } = await import('./program.ts');
    await createProgram(['agent', '--server', 'http://127.0.0.1:1']);
    await import('@everflame/agent');`;
  const urls = loadedModules(work, import.meta.dirname);
  expect(urls.filter((url) => url.endsWith('/agent/src/run-agent.ts'))).toHaveLength(1);
  const needless = [
    '/re2js/',
    '/typebox/',
    '/fastify/',
    '/compare/src/',
    '/profile/src/views/',
    '/profile/src/filters/',
  ];
  expect(urls.filter((url) => needless.some((part) => url.includes(part)))).toEqual([]);
});
