/** What the agent needs of rights, file systems and files: few capabilities, no tracefs, no kernel headers. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, expect, test } from 'vitest';

import { repositoryRoot } from '../support/everflame-process.ts';
import { Workloads } from '../workloads/compile.ts';

const workloads = new Workloads();
afterAll(() => workloads.remove());
const program = workloads.compile('burn', { flags: ['-DBURN=burn_rights', '-fomit-frame-pointer'] });
const main = join(repositoryRoot, 'packages/cli/src/main.ts');
const recorded = join(workloads.folder, 'recorded');

/** Records the workload by `everflame record`, started as `words` say; answers its stacks, root first, a line each. */
function recordAs([first, ...words]: readonly [string, ...string[]]): string[] {
  const command = [process.execPath, main, 'record', '--folded', '--output', recorded, '--', program, '3000000'];
  const { status, stderr } = spawnSync(first, [...words, ...command], { cwd: repositoryRoot, encoding: 'utf8' });
  expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
  return readFileSync(recorded, 'utf8').trimEnd().split('\n');
}

function countOf(lines: readonly string[]): number {
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

/** Most samples are in the workload's function, by name, below the root. */
function expectWhole(lines: readonly string[]): void {
  const whole = lines.filter((line) => /_start;.*main;.*burn_rights/u.test(line));
  expect(countOf(whole)).toBeGreaterThan(100);
  expect(countOf(whole) / countOf(lines)).toBeGreaterThan(0.9);
}

/** Of root, only these. */
const only = (...names: readonly string[]): [string, ...string[]] => [
  'setpriv',
  `--bounding-set=-all,${names.map((name) => `+${name}`).join()}`,
  '--inh-caps=-all',
];

test('five capabilities are enough', () => {
  expectWhole(recordAs(only('bpf', 'perfmon', 'sys_ptrace', 'dac_read_search', 'syslog')));
});

test('CAP_SYS_RESOURCE is not needed', () => {
  expectWhole(recordAs(['setpriv', '--bounding-set=-sys_resource', '--inh-caps=-sys_resource']));
});

test('neither tracefs nor debugfs nor kernel headers and modules are needed', () => {
  // What is not mounted or not there need not be hidden.
  const hide = `
    for place in /sys/kernel/tracing /sys/kernel/debug; do ! mountpoint -q $place || umount -l $place || exit 1; done
    for place in /usr/src /lib/modules /boot; do [ ! -d $place ] || mount -t tmpfs hidden $place || exit 1; done
    ! ls /sys/kernel/tracing/events /sys/kernel/debug/tracing 2>/dev/null || exit 1
    exec "$@"`;
  expectWhole(recordAs(['unshare', '--mount', 'sh', '-c', hide, 'sh']));
});

test('what is missing is said', () => {
  const script = `import { checkHost } from '@everflame/agent';
    console.log(checkHost().map(({ code, blocksSampling }) => code + ' ' + blocksSampling).join());`;
  const said = ([first, ...words]: readonly [string, ...string[]]): string[] => {
    const command = [process.execPath, '--input-type=module', '--eval', script];
    return execFileSync(first, [...words, ...command], { cwd: repositoryRoot, encoding: 'utf8' })
      .trim()
      .split(',');
  };
  expect(said(only('bpf', 'perfmon'))).toEqual(expect.arrayContaining(['no_ptrace false', 'no_file_access false']));
  expect(said(only('syslog'))).toContain('not_permitted true');
});
