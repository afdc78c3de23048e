import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { http } from '@everflame/protocols';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { getJson } from '../support/api.ts';
import { type EverflameProcess, repositoryRoot, startEverflame } from '../support/everflame-process.ts';

let directory: string;
let everflame: EverflameProcess;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'everflame-demo-test-'));
  everflame = await startEverflame(['up', '--listen', '127.0.0.1:0', '--data-dir', join(directory, 'data')]);
});

afterAll(async () => {
  await everflame.end();
  rmSync(directory, { recursive: true, force: true });
});

test('the demo finds its planted regression and prints where to look at it', async () => {
  const startedAt = performance.now();
  const main = join(repositoryRoot, 'packages/cli/src/main.ts');
  const args = [main, 'demo', '--server', everflame.url, '--seconds', '12'];
  const demo = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [output, [code]] = await Promise.all([text(demo.stdout), once(demo, 'exit') as Promise<[number | null]>]);
  expect(code).toBe(0);
  // Two runs of 25 s instead of 12 s must still fit into 90 s.
  expect(performance.now() - startedAt).toBeLessThan((90 - 2 * 13) * 1000);

  // The table's first row is what was planted.
  expect(output).toMatch(/function \(self\)\n[^\n]*\+\d+\.\d {2}renderInvoice\b/u);

  const compare = new URL(/^compare (\S+)$/mu.exec(output)?.[1] ?? '');
  expect(compare.origin).toBe(new URL(everflame.url).origin);
  const page = await fetch(compare);
  expect(page.headers.get('content-type')).toMatch(/^text\/html/u);
  const state = compare.searchParams;
  expect([state.get('service'), state.get('before'), state.get('after')]).toEqual(['shop', '1.0.0', '1.1.0']);

  const queryOf = (version: string) =>
    `process_cpu:cpu:nanoseconds:cpu:nanoseconds{service_name="shop",service_version="${version}"}`;
  const diff = await getJson<http.DiffAnswer>(everflame.url, '/api/v1/diff', {
    from: state.get('from') ?? '',
    until: state.get('until') ?? '',
    before_query: queryOf('1.0.0'),
    after_query: queryOf('1.1.0'),
  });
  const share = (side: 'shareBefore' | 'shareAfter') =>
    diff.functions.filter((row) => row.name.includes('renderInvoice')).reduce((sum, row) => sum + (row[side] ?? 0), 0);
  // Planted: a sixth of 1.1.0's CPU, next to nothing of 1.0.0's. With some 300 samples a side, 5 points are far outside of chance.
  expect(share('shareAfter') - share('shareBefore')).toBeGreaterThan(0.05);
});
