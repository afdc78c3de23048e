import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { http } from '@everflame/protocols';
import { afterAll, expect, test } from 'vitest';
import { repositoryRoot } from '../support/everflame-process.ts';
import { Workloads } from '../workloads/compile.ts';

const workloads = new Workloads();
const folder = mkdtempSync(join(tmpdir(), 'everflame-record-diff-'));
afterAll(() => {
  workloads.remove();
  rmSync(folder, { recursive: true });
});

interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function everflame(...args: readonly string[]): Promise<Ran> {
  const main = join(repositoryRoot, 'packages/cli/src/main.ts');
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const [status] = (await once(child, 'close')) as [number | null];
  return { status: status ?? -1, stdout, stderr };
}

/** Records a program's run of half a second of CPU at 2 kHz. */
async function record(name: string, program: string, ...more: readonly string[]): Promise<string> {
  const file = join(folder, `${name}.pb.gz`);
  const truth = join(folder, 'truth');
  const ran = await everflame('record', '-F', '1999', ...more, '-o', file, '--', program, '0.5', truth);
  expect(ran.status, `it printed ${ran.stderr}`).toBe(0);
  // The program ran to its end, and says so.
  expect(readFileSync(truth, 'utf8')).toContain('alpha ');
  return file;
}

test('a benchmark in a pipeline: record each version five times in turns, then diff says with its exit code whether it regressed', async () => {
  const program = workloads.compile('five-functions');
  // beta takes twice the turns that it took: 25 of 100 parts become 50 of 125.
  const slower = workloads.compile('five-functions', { name: 'slower', flags: ['-DBETA_WEIGHT=50'] });
  const files: Record<'before' | 'same' | 'after', string[]> = { before: [], same: [], after: [] };
  for (let run = 0; run < 5; run++) {
    files.before.push(await record(`before-${run}`, program));
    files.same.push(await record(`same-${run}`, program));
    files.after.push(await record(`after-${run}`, slower));
  }
  const calm = await everflame('diff', ...files.before, '--', ...files.same);
  expect([calm.status, calm.stderr], `it printed ${calm.stdout}`).toEqual([0, '']);
  expect(calm.stdout).toContain('per run');
  const worse = await everflame('diff', '--format', 'json', ...files.before, '--', ...files.after);
  expect(worse.status, `it printed ${worse.stdout}`).toBe(1);
  expect(worse.stderr).toContain('beta');
  const answer = JSON.parse(worse.stdout) as http.CompareAnswer;
  expect(answer.functions[0]).toMatchObject({ name: 'beta', verdict: 'regressed' });
  const [low, high] = answer.functions[0]?.interval ?? [1, 0];
  // Of shares: 0.4 for 0.25, and what the others lost was taken off: twice.
  expect(low).toBeLessThan(1);
  expect(high).toBeGreaterThan(0.6);
  const [first = ''] = files.before;
  expect((await everflame('diff', first, '--', files.after[0] ?? '')).status).toBe(3);
  expect((await everflame('diff', first, '--', join(folder, 'missing.pb.gz'))).status).toBe(2);
}, 120_000);

test('a recording counts the requests that were served meanwhile', async () => {
  let served = 0;
  const timer = setInterval(() => (served += 10), 20);
  let answersLeft = Infinity;
  const page = createServer((_, response) => {
    response.statusCode = answersLeft-- > 0 ? 200 : 500;
    response.end(`http_requests_total{service="shop"} ${served}\n`);
  });
  await new Promise<void>((resolve) => page.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(page.address() as AddressInfo).port}/metrics`;
  try {
    const program = workloads.compile('five-functions', { name: 'counted' });
    const counter = ['--requests', url, '--request-counter', 'http_requests_total{service="shop"}'];
    const file = await record('counted', program, ...counter);
    const ran = await everflame('diff', '--normalisation', 'request', '--format', 'json', file, '--', file);
    const { summary } = JSON.parse(ran.stdout) as http.CompareAnswer;
    // 500 a second; half a second of CPU takes longer where the machine is busy.
    const perSecond = (summary.before.cores ?? 0) / (summary.before.secondsPerRequest ?? 1);
    expect(perSecond).toBeGreaterThan(250);
    expect(perSecond).toBeLessThan(600);
    const missing = await everflame(
      'record',
      '--requests',
      url,
      '--request-counter',
      'other',
      '--',
      program,
      '0.1',
      '/dev/null',
    );
    expect(missing.status).toBe(2);
    expect(missing.stderr).toContain('has no series of other');
    // A counter that fails at the end costs the count, not the recording.
    answersLeft = 1;
    const uncounted = join(folder, 'uncounted.pb.gz');
    const failed = await everflame('record', ...counter, '-o', uncounted, '--', program, '0.1', '/dev/null');
    expect([failed.status, existsSync(uncounted)]).toEqual([2, true]);
    expect(failed.stderr).toContain('answered 500');
  } finally {
    clearInterval(timer);
    page.close();
  }
});
