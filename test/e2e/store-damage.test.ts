// Damaged files of a store: named in the status, on the page and by `everflame verify`, and the rest is answered.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeProfile, ProfileBuilder } from '@everflame/profile';
import type { http } from '@everflame/protocols';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildWeb } from '../../scripts/build-web.mjs';
import { getJson } from '../support/api.ts';
import { postProfile } from '../support/drawn-fleet.ts';
import { repositoryRoot } from '../support/everflame-process.ts';
import { launchBrowser, openSettled } from '../support/page-browser.ts';
import { waitFor } from '../support/wait-for.ts';
import { type ServerProcess, startServerProcess } from './server-process.ts';

const dayMs = 24 * 3_600_000;
const days = 4;
/** Blocks of days of such a window become one when it is over (Maintenance): these are the first of one. */
const windowMs = 8 * dayMs;
/** Noon, so that a day's profiles are of one day. */
const newestMs = Math.floor((Date.now() - days * dayMs) / windowMs) * windowMs + (days - 0.5) * dayMs;
const dataDir = mkdtempSync(join(tmpdir(), 'everflame-store-damage-'));
const blocks = join(dataDir, 'blocks');
const range = { from: String(newestMs - days * dayMs), until: String(newestMs + dayMs) };
let server: ServerProcess;
beforeAll(async () => {
  server = await startServerProcess(dataDir);
  for (let day = 0; day < days; day++) {
    for (const service of ['api', 'batch']) {
      for (let n = 0; n < 5; n++) await post(service, `${service}${day}`, newestMs - day * dayMs + n * 1000);
    }
  }
  // A start makes a block of what it finds when the first profile comes, the next one splits it by day.
  await restart();
  await post('api', 'late', newestMs);
  await waitFor('a block', () => (readdirSync(blocks).length > 0 ? true : undefined));
  await restart();
  await waitFor('a block for each day', () => (readdirSync(blocks).length === days ? true : undefined));
});
afterAll(async () => {
  await server.end('SIGKILL');
  rmSync(dataDir, { recursive: true });
});

async function restart(options: Parameters<typeof startServerProcess>[1] = {}): Promise<void> {
  await server.end('SIGTERM');
  server = await startServerProcess(dataDir, options);
}

async function post(service: string, name: string, timeMs: number): Promise<void> {
  const type = { type: 'cpu', unit: 'nanoseconds' };
  const builder = new ProfileBuilder({ sampleTypes: [type], periodType: type, timeNanos: BigInt(timeMs) * 1_000_000n });
  const own = builder.function({ name });
  builder.add(builder.stack(0, builder.location({ lines: [{ function: own }] })), 0, [1n]);
  await postProfile(server.url, encodeProfile(builder.build()), { service_name: service });
}

async function storedNames(): Promise<string[]> {
  const { functions } = await getJson<http.TopAnswer>(server.url, '/api/v1/top', { query: '{}', ...range });
  return functions.map(({ name, self }) => `${name} × ${self}`).sort();
}

function flip(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at] = (bytes[at] ?? 0) ^ 4;
  writeFileSync(path, bytes);
}

/** A command as a user runs it. */
function everflame(...args: readonly string[]): { readonly status: number | null; readonly said: string } {
  const { status, stderr, stdout } = spawnSync('node', ['scripts/everflame.mjs', ...args, '--data-dir', dataDir], {
    cwd: repositoryRoot,
    encoding: 'utf8',
    timeout: 120_000,
  });
  return { status, said: stderr + stdout };
}

test('a damaged block is named in the status, in metrics, on the page and by verify, and the other days are answered', async () => {
  expect(everflame('verify')).toMatchObject({ status: 0, said: expect.stringContaining('all is well') });
  const all = await storedNames();
  const [name = ''] = readdirSync(blocks).sort();
  const path = join(blocks, name);
  // In many places: what a block keeps of a section twice is answered from the other one.
  const { length } = readFileSync(path);
  for (let place = 1; place < 16; place++) flip(path, Math.floor((length * place) / 16));
  const { status, said } = everflame('verify');
  expect(status).toBe(1);
  expect(said).toContain(name);
  expect(said).not.toMatch(/^\s+at /m);

  await buildWeb();
  const rules = [{ matchers: [{ name: 'service_name', operator: '=' as const, value: 'batch' }], maxAgeMs: 2 * dayMs }];
  await restart({ webRoot: join(repositoryRoot, 'web/dist'), retention: { rules } });
  const found = await storedNames();
  expect(found.length).toBeGreaterThan(0);
  expect(found.filter((one) => !all.includes(one))).toEqual([]);
  // Of all days but the damaged one, and but for what retention takes.
  const daysFound = new Set(found.flatMap((one) => /^api(?<day>\d)/.exec(one)?.groups?.['day'] ?? []));
  expect(daysFound.size).toBe(days - 1);
  const { storage } = await waitFor('retention', async () => {
    const answer = await getJson<http.StatusAnswer>(server.url, '/api/v1/status');
    return answer.storage.deleted.length > 0 ? answer : undefined;
  });
  expect(storage.damaged).toMatchObject([{ file: name, reason: expect.stringContaining('is damaged') }]);
  expect(storage.deleted).toMatchObject([{ cause: 'selector' }]);
  const lost = storage.damaged[0]?.profiles ?? 0;
  const gone = storage.deleted[0]?.profiles ?? 0;
  expect(storage.profiles + lost + gone).toBe(days * 10 + 1);
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  expect(metrics).toContain('everflame_storage_damaged_files 1');
  expect(metrics).toContain(`everflame_storage_damaged_profiles ${lost}`);
  expect(metrics).toContain(`everflame_storage_deleted_profiles{cause="selector"} ${gone}`);

  const browser = await launchBrowser();
  try {
    const { page, complaints } = await openSettled(browser, server.url, '/', range);
    const missing = await page.getByRole('list', { name: 'Missing from the store' }).locator('li').allTextContents();
    expect(missing).toEqual([
      expect.stringMatching(`${name} cannot be read ?${lost} profiles of .* are missing in all answers`),
      expect.stringMatching(`retention of a selector has deleted ${gone} profiles`),
    ]);
    expect(complaints).toEqual([]);
  } finally {
    await browser.close();
  }
});

test('a damaged everflame.db is refused in words by server and verify', async () => {
  await server.end('SIGTERM');
  const path = join(dataDir, 'everflame.db');
  const whole = readFileSync(path);
  for (const at of [5, 100]) {
    flip(path, at);
    for (const command of ['server', 'verify']) {
      const { status, said } = everflame(command, ...(command === 'server' ? ['--listen', '127.0.0.1:0'] : []));
      expect({ at, command, status, said }).toMatchObject({ status: 1, said: expect.stringContaining('everflame.db') });
      expect(said).not.toMatch(/^\s+at /m);
    }
    writeFileSync(path, whole);
  }
  server = await startServerProcess(dataDir);
  expect((await storedNames()).length).toBeGreaterThan(0);
});
