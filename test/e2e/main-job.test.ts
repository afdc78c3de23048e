import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { http } from '@everflame/protocols';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { getJson } from '../support/api.ts';
import { type EverflameProcess, repositoryRoot, startEverflame } from '../support/everflame-process.ts';
import { buildFiveFunctions, readTruth } from '../support/five-functions.ts';
import { launchBrowser, openSettled } from '../support/page-browser.ts';
import { samplingError } from '../support/sampling-interval.ts';
import { waitFor } from '../support/wait-for.ts';

const cpuSeconds = 6;
const frequencyHz = 99;
/** Of this run alone: the agent sees every process of the machine, another run of this test included. */
const service = `five-${process.pid}`;
/** The agent's default. */
const intervalMs = 10_000;

let directory: string;
let program: string;
let everflame: EverflameProcess;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'everflame-main-'));
  program = buildFiveFunctions(directory, service);
  everflame = await startEverflame(['up', '--listen', '127.0.0.1:0', '--data-dir', join(directory, 'data')]);
  // The server is ready before the agent samples.
  await waitFor('the agent', async () => {
    const { agents } = await getJson<http.StatusAnswer>(everflame.url, '/api/v1/status');
    return agents.length > 0 ? agents : undefined;
  });
});

afterAll(async () => {
  await everflame.end();
  rmSync(directory, { recursive: true, force: true });
});

/** Shares of the five functions as measured lie within the sampling error of what the program wrote of itself. */
function expectTruth(truthFile: string, selfOf: ReadonlyMap<string, number>): void {
  const truth = readTruth(truthFile);
  const truthTotal = [...truth.values()].reduce((sum, ns) => sum + ns, 0);
  const samples = [...truth.keys()].reduce((sum, name) => sum + (selfOf.get(name) ?? 0), 0);
  // The program spends next to nothing outside of its five functions. A virtual CPU that its host takes away loses ticks that the
  // guest's clock of CPU time does not, so fewer may come than that clock asks for.
  expect(samples).toBeGreaterThan(0.8 * cpuSeconds * frequencyHz);
  expect(samples).toBeLessThan(1.1 * cpuSeconds * frequencyHz);
  for (const [name, ns] of truth) {
    const share = ns / truthTotal;
    const difference = (selfOf.get(name) ?? 0) / samples - share;
    expect(Math.abs(difference), `${name}: true share ${share}`).toBeLessThan(samplingError(share, samples));
  }
}

async function runWorkload(truthFile: string): Promise<void> {
  const child = spawn(program, [String(cpuSeconds), truthFile], { stdio: 'inherit' });
  const [code] = (await once(child, 'exit')) as [number];
  expect(code).toBe(0);
}

/** Until a profile of the interval after this one is stored; the agent ships in order, so that all before it are. */
async function nextInterval(): Promise<void> {
  const from = String((Math.floor(Date.now() / intervalMs) + 1) * intervalMs);
  await waitFor('the next interval', async () => {
    const answer = await getJson<http.TopAnswer>(everflame.url, '/api/v1/top', { from, until: 'now+1h' });
    return answer.samples > 0 ? answer : undefined;
  });
}

test('the store names what a process spends its CPU on, in its true shares, and so does record', async () => {
  const truthFile = join(directory, 'truth-stored');
  await runWorkload(truthFile);
  await nextInterval();
  const query = `{service_name="${service}"}`;
  const top = await getJson<http.TopAnswer>(everflame.url, '/api/v1/top', { query });
  expectTruth(truthFile, new Map(top.functions.map((row) => [row.name, row.selfSamples])));

  const recordTruth = join(directory, 'truth-recorded');
  const file = join(directory, 'recorded.pb.gz');
  const recorded = spawnSync(
    process.execPath,
    ['scripts/everflame.mjs', 'record', '-o', file, '--', program, String(cpuSeconds), recordTruth],
    { cwd: repositoryRoot, encoding: 'utf8' },
  );
  if (recorded.status !== 0) throw new Error(recorded.stderr);
  const printed = spawnSync('go', ['tool', 'pprof', '-top', '-sample_index=samples', '-nodefraction=0', file], {
    encoding: 'utf8',
  });
  if (printed.status !== 0) throw new Error(printed.stderr);
  const rows = printed.stdout.matchAll(/^ *(?<flat>\d+) +\S+ +\S+ +\d+ +\S+ +(?<name>\S+)/gm);
  expectTruth(recordTruth, new Map([...rows].map(({ groups }) => [groups?.['name'] ?? '', Number(groups?.['flat'])])));
});

test('the page shows the same shares, within the same error of the truth', async () => {
  const truth = readTruth(join(directory, 'truth-stored'));
  const truthTotal = [...truth.values()].reduce((sum, ns) => sum + ns, 0);
  const browser = await launchBrowser({ isWhole: true });
  try {
    const { page } = await openSettled(browser, everflame.url, '/flamegraph', {
      query: `{service_name="${service}"}`,
    });
    for (const [name, ns] of truth) {
      const row = page.locator(`table.data tbody tr[title^="${name}"]`);
      const cells = (await row.locator('td').allTextContents()).map((text) => text.trim());
      // Name, self, its share, total, its share, samples.
      const share = Number(cells[2]?.replace('%', '').trim()) / 100;
      const samples = Number(cells.at(-1)?.replaceAll(',', ''));
      const error = samplingError(ns / truthTotal, cpuSeconds * frequencyHz);
      // Shares are shown to three digits, of all samples: those outside of the five functions are less than a hundredth.
      expect(Math.abs(share - ns / truthTotal), `${name}: ${cells.join(' | ')}`).toBeLessThan(error + 0.01);
      expect(samples).toBeGreaterThan(0);
    }
  } finally {
    await browser.close();
  }
});

test('the agent and the server show their own cost like any other process', async () => {
  for (const own of ['everflame-agent', 'everflame-server']) {
    const top = await waitFor(`samples of ${own}`, async () => {
      const answer = await getJson<http.TopAnswer>(everflame.url, '/api/v1/top', {
        query: `{service_name="${own}"}`,
      });
      return answer.samples > 0 ? answer : undefined;
    });
    expect(BigInt(top.total)).toBeGreaterThan(0n);
  }
});

test('Collection tells what the agent takes itself and how old its newest samples are', async () => {
  const browser = await launchBrowser({ isWhole: true });
  try {
    const { page } = await openSettled(browser, everflame.url, '/collection');
    const line = page.locator('.agents li').filter({ hasText: 'itself, newest samples' });
    expect(await line.textContent()).toMatch(/takes <?\d[\d.]* cores? itself, newest samples of (?:just now|\d+ s)/u);
  } finally {
    await browser.close();
  }
});

test('an end by SIGTERM ships and stores what was sampled before it', async () => {
  const truthFile = join(directory, 'truth-last');
  const name = `last-${process.pid}`;
  const last = buildFiveFunctions(directory, name);
  const child = spawn(last, ['3', truthFile], { stdio: 'inherit' });
  await once(child, 'exit');
  expect(await everflame.end('SIGTERM')).toBe(0);

  everflame = await startEverflame([
    'up',
    '--no-agent',
    '--listen',
    '127.0.0.1:0',
    '--data-dir',
    join(directory, 'data'),
  ]);
  const top = await getJson<http.TopAnswer>(everflame.url, '/api/v1/top', { query: `{service_name="${name}"}` });
  const expected = 3 * frequencyHz;
  expect(top.samples).toBeGreaterThan(0.8 * expected);
  expect(top.samples).toBeLessThan(1.1 * expected);
});
