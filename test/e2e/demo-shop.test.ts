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

// Sixty seconds of samples, on a machine that another test shares: that the planted function stands first is likely, not certain.
test('the demo names what was planted for what it is and prints where to look at it', { retry: 1 }, async () => {
  const main = join(repositoryRoot, 'packages/cli/src/main.ts');
  const args = [main, 'demo', '--server', everflame.url, '--seconds', '30'];
  const demo = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [output, [code]] = await Promise.all([text(demo.stdout), once(demo, 'exit') as Promise<[number | null]>]);
  expect(code).toBe(0);

  // The table's first row is what was planted.
  expect(output).toMatch(/verdict +function\n[^\n]* regressed +renderInvoice\b/u);
  const url = new URL(/^compare (\S+)$/mu.exec(output)?.[1] ?? '');
  expect(url.origin).toBe(new URL(everflame.url).origin);
  const page = await fetch(url);
  expect(page.headers.get('content-type')).toMatch(/^text\/html/u);
  const state = Object.fromEntries(url.searchParams);
  expect([state['service'], state['before'], state['after']]).toEqual(['shop', '1.0.0', '1.1.0']);

  const answer = await getJson<http.CompareAnswer>(everflame.url, '/api/v1/compare', state);
  // The page shows what was printed.
  expect(output).toContain(answer.sentence);
  expect(answer.summary).toMatchObject({ unitKind: 'pod', before: { units: 5 }, after: { units: 5 } });
  const rowsOf = (name: string) => answer.functions.filter((row) => row.name === name);
  const invoice = rowsOf('renderInvoice');
  expect(invoice).toHaveLength(1);
  expect(invoice[0]).toMatchObject({ verdict: 'regressed', units: { after: 5 } });
  expect(invoice[0]?.carrier?.stack).toContain('renderInvoice');
  // What only has another name or another place is no regression, and is not lost. Whether so few samples show that it moved is chance.
  const samples = (name: string, side: 'samplesBefore' | 'samplesAfter') =>
    rowsOf(name).reduce((sum, row) => sum + row[side], 0);
  expect([samples('chooseVouchers', 'samplesAfter'), samples('pickVouchers', 'samplesBefore')]).toEqual([0, 0]);
  for (const name of ['pickVouchers', 'sealBlock', 'sealInvoice'])
    expect(rowsOf(name).filter(({ verdict }) => verdict === 'regressed')).toEqual([]);
});
