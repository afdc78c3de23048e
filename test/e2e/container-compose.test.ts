import { execFile } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const execute = promisify(execFile);
const repository = join(import.meta.dirname, '../..');

test('docker-compose understands docker-compose.yml and sees all four services', async () => {
  // From another folder and without a home: only the file itself is judged.
  const elsewhere = await mkdtemp(join(tmpdir(), 'everflame-compose-'));
  try {
    const file = join(repository, 'docker-compose.yml');
    const options = { cwd: elsewhere, env: { PATH: process.env['PATH'], HOME: elsewhere, HOSTNAME: 'the-host' } };
    const services = await execute('docker-compose', ['-f', file, 'config', '--services'], options);
    expect(services.stdout.trim().split('\n').toSorted()).toEqual(['agent', 'server', 'shop-after', 'shop-before']);
    const { stdout } = await execute('docker-compose', ['-f', file, 'config'], options);
    expect(stdout).toContain('privileged: true');
    expect(stdout).toContain('pid: host');
    expect(stdout).toContain('EVERFLAME_HOST_NAME: the-host');
  } finally {
    await rm(elsewhere, { recursive: true });
  }
});

test('unit files and manifests set only variables that are flags of the command', async () => {
  const files = ['Dockerfile', 'docker-compose.yml', 'examples/kubernetes/agent.yaml'];
  for (const name of await readdir(join(repository, 'examples/systemd'))) files.push(`examples/systemd/${name}`);
  const used = new Set<string>();
  for (const file of files) {
    const text = await readFile(join(repository, file), 'utf8');
    for (const [variable] of text.matchAll(/\bEVERFLAME_[A-Z_]+/g)) used.add(variable);
  }
  const node = process.execPath;
  const main = join(repository, 'packages/cli/src/main.ts');
  let help = '';
  for (const command of ['server', 'agent']) help += (await execute(node, [main, command, '--help'])).stdout;
  expect(used.size).toBeGreaterThan(3);
  for (const variable of used) expect(help).toContain(variable);
});
