import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { record } from '@everflame/agent';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { repositoryRoot } from '../support/everflame-process.ts';
import { Workloads } from '../workloads/compile.ts';
import { samplesOf, type SeenSample, total } from './agent-samples.ts';

const workloads = new Workloads();
const shells: ChildProcess[] = [];
/** What runs in namespaces of its own as if on a host of its own, by its PID here. */
const pids = new Map<string, number>();

beforeAll(async () => {
  const script = join(repositoryRoot, 'test/workloads/runtimes/planted.cjs');
  // As a distribution builds: without frame pointers, so that a guess along these finds callers at random, or none.
  const program = workloads.compile('five-functions', { flags: ['-O2', '-fomit-frame-pointer'] });
  await start('C', [program, '60', join(workloads.folder, 'truth')]);
  // A /tmp of its own, since the names of JIT code lie there by the PID of the namespace. What is run may lie there, too: then a layer over it.
  const layer = `mount -t tmpfs none "${workloads.folder}" && cd "${workloads.folder}" && mkdir upper work && mount -t overlay -o lowerdir=/tmp,upperdir=upper,workdir=work none /tmp`;
  const mount = process.execPath.startsWith('/tmp/') ? layer : 'mount -t tmpfs none /tmp';
  const own = ['sh', '-c', `${mount} && cd /tmp && exec "$0" "$@"`, process.execPath];
  await start('Node.js', [...own, script, 'truth', '60000']);
  await start('Node.js with --perf-basic-prof', [...own, '--perf-basic-prof', script, 'truth', '60000']);
  // The script waits so long before it begins.
  await sleep(2500);
}, 60_000);

/** Runs a command as the first process of its namespaces. Making these is the kernel's business and not this test's: tried three times. */
async function start(name: string, command: readonly string[]): Promise<void> {
  const said: string[] = [];
  for (let attempt = 0; attempt < 3; attempt++) {
    const pid = await startOnce(command, said);
    if (pid === undefined) continue;
    // Its number in its own namespace is the last one.
    expect(readFileSync(`/proc/${pid}/status`, 'utf8')).toMatch(/^NSpid:\t(?:\d+\t)+1$/mu);
    pids.set(name, pid);
    return;
  }
  throw new Error(`${name} did not start: ${said.join('; ')}`);
}

/** Undefined where it ended at once; why goes to `said`. */
async function startOnce(command: readonly string[], said: string[]): Promise<number | undefined> {
  const flags = ['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];
  const shell = spawn('unshare', [...flags, ...command], { stdio: ['ignore', 'ignore', 'pipe'] });
  shell.stderr.on('data', (bytes: Buffer) => said.push(bytes.toString()));
  shell.on('exit', (code, signal) => said.push(`ended with ${code ?? signal}`));
  const deadline = Date.now() + 20_000;
  while (Date.now() < deadline) {
    // Says first whether it has ended: a number that is free is nobody's.
    await sleep(50);
    if (shell.exitCode !== null || shell.signalCode !== null) return undefined;
    const pid = childOf(shell);
    if (pid === undefined || ['unshare', 'sh', ''].includes(executableOf(pid))) continue;
    shells.push(shell);
    return pid;
  }
  shell.kill('SIGKILL');
  return undefined;
}

afterAll(async () => {
  // The first process of a namespace dies with its shell, and with it the namespace.
  for (const shell of shells) shell.kill('SIGKILL');
  for (const shell of shells) if (shell.exitCode === null && shell.signalCode === null) await once(shell, 'exit');
  workloads.remove();
});

function childOf({ pid }: ChildProcess): number | undefined {
  const file = `/proc/${pid}/task/${pid}/children`;
  const [first] = existsSync(file) ? readFileSync(file, 'utf8').split(' ') : [];
  return first === undefined || first === '' ? undefined : Number(first);
}

function executableOf(pid: number): string {
  const file = `/proc/${pid}/cmdline`;
  const [path = ''] = existsSync(file) ? readFileSync(file, 'utf8').split('\0') : [];
  return path.split('/').at(-1) ?? '';
}

/** Where the C library's own symbols are not installed, a thread's first function has no name. */
const root = /^(?:_start|clone3?|\[libc\.so\.6\+0x[0-9a-f]+\])$/;
const isWhole = ({ functions }: SeenSample): boolean => root.test(functions.at(-1) ?? '');

// From its first second on: nothing may depend on how long a recording has been running.
describe.each([1, 4])('in a recording of %i s', (seconds) => {
  test('stacks of processes in other namespaces are unwound by tables to their root', async () => {
    const target = { kind: 'pids', pids: [...pids.values()] } as const;
    const { profile } = await record({ frequencyHz: 499, target, durationMs: seconds * 1000 });
    const samples = samplesOf(profile);
    const judged = [...pids].map(([name, pid]) => {
      const own = samples.filter(({ labels }) => labels['process_pid'] === String(pid));
      const part = (isMeant: (sample: SeenSample) => boolean): number => total(own.filter(isMeant)) / total(own);
      return {
        name,
        hasEnough: total(own) > 20,
        isGuessed: part(({ labels }) => labels['stack_unwinding'] !== undefined) > 0.005,
        isWhole: part(isWhole) >= 0.995,
        // What the others are, to be read when this fails.
        cut: own
          .filter((sample) => part(isWhole) < 0.995 && !isWhole(sample))
          .map(({ functions }) => functions.join(';')),
      };
    });
    const wanted = { hasEnough: true, isGuessed: false, isWhole: true, cut: [] };
    expect(judged).toEqual([...pids.keys()].map((name) => ({ name, ...wanted })));
  });
});
