// go tool pprof is the judge: what it says of the URL as typed equals what the API says, to the last digit.
import { execFile } from 'node:child_process';
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { decodeProfile, encodeProfile } from '@everflame/profile';
import type { http } from '@everflame/protocols';
import { createServer, type Server } from '@everflame/server';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';

const go = ['/usr/local/go/bin/go', '/usr/bin/go'].find((path) => existsSync(path)) ?? 'go';
const corpus = join(import.meta.dirname, '../corpus/pprof');
const files = globSync('**/*.{pb,pb.gz,pb.zst,pprof}', { cwd: corpus }).sort();
const goFiles = files.filter((file) => file.startsWith('go-') && file.endsWith('.pb.gz'));

let server: Server;
let dir: string;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'everflame-pprof-'));
  server = await createServer({ listen: { host: '127.0.0.1', port: 0 }, dataDir: join(dir, 'data') });
  for (const [index, file] of files.entries()) await postAt(file, { service_name: serviceOf(file) }, index);
});
afterAll(async () => {
  await server.close();
  rmSync(dir, { recursive: true });
});

function serviceOf(file: string): string {
  return file.replaceAll(/[^A-Za-z0-9]/g, '_');
}

function unpacked(file: string): Uint8Array {
  const bytes = readFileSync(join(corpus, file));
  if (bytes[0] === 0x1f) return gunzipSync(bytes);
  return bytes[0] === 0x28 ? zstdDecompressSync(bytes) : bytes;
}

/** Posts a file of the corpus as one taken some seconds ago. */
async function postAt(file: string, labels: Record<string, string>, secondsAgo: number): Promise<void> {
  const decoded = decodeProfile(unpacked(file));
  if (!decoded.ok) throw new Error(`${file}: ${decoded.error.message}`);
  const timeNanos = BigInt(Date.now() - secondsAgo * 1000) * 1_000_000n;
  const body = new Uint8Array(encodeProfile({ ...decoded.profile, timeNanos }));
  const response = await fetch(`${server.url}/api/v1/profiles?${new URLSearchParams(labels).toString()}`, {
    method: 'POST',
    body,
  });
  expect(response.ok ? 'accepted' : `${file}: ${await response.text()}`).toBe('accepted');
}

async function pprof(...args: string[]): Promise<string> {
  // Nothing is symbolized or stored by the tool itself.
  const env = { ...process.env, PPROF_TMPDIR: dir, PPROF_BINARY_PATH: dir };
  const { stdout } = await promisify(execFile)(go, ['tool', 'pprof', '-symbolize=none', ...args], {
    env,
    maxBuffer: 1e8,
  });
  return stdout;
}

/** `flat cum name` of each function that -top prints with whole units. */
function rowsOfTop(text: string): string[] {
  const rows: string[] = [];
  for (const line of text.split('\n')) {
    const row = /^\s*(?<flat>-?\d+)\D*\s+\S+%\s+\S+%\s+(?<cum>-?\d+)\D*\s+\S+%\s+(?<name>.*)$/.exec(line)?.groups;
    if (row !== undefined) rows.push(`${row['flat']} ${row['cum']} ${(row['name'] ?? '').replace(/ \(inline\)$/, '')}`);
  }
  return rows.sort();
}

async function profileTypes(query: string): Promise<http.ProfileTypesAnswer['profileTypes']> {
  const response = await fetch(`${server.url}/api/v1/profile-types?query=${encodeURIComponent(query)}`);
  return ((await response.json()) as http.ProfileTypesAnswer).profileTypes;
}

async function top(query: string): Promise<http.TopAnswer> {
  const response = await fetch(
    `${server.url}/api/v1/top?query=${encodeURIComponent(query)}&from=now-1h&until=now%2B1m`,
  );
  return (await response.json()) as http.TopAnswer;
}

/** The smallest unit of what a sample type counts, so that the tool rounds nothing. */
function wholeUnit(unit: string): string {
  const smallest: Readonly<Record<string, string>> = { nanoseconds: 'ns', bytes: 'B', microseconds: 'us' };
  return smallest[unit] ?? unit;
}

test('the corpus has files of Go', () => {
  expect(goFiles.length).toBeGreaterThan(3);
});

test.each(files)('go tool pprof -top of the URL as typed equals our top: %s', async (file) => {
  const selector = `{service_name="${serviceOf(file)}"}`;
  const types = await profileTypes(selector);
  expect(types.length).toBeGreaterThan(0);
  let compared = 0;
  for (const { id, sampleUnit } of types) {
    const url = `${server.url}/api/v1/pprof?query=${id}${selector}&from=now-1h&until=now%2B1m`;
    const said = await pprof(
      '-top',
      '-nodecount=100000',
      '-nodefraction=0',
      '-edgefraction=0',
      `-unit=${wholeUnit(sampleUnit)}`,
      url,
    );
    const ours = await top(`${id}${selector}`);
    const rows = ours.functions.filter(({ self, total }) => self !== '0' || total !== '0');
    expect(rowsOfTop(said)).toEqual(rows.map(({ self, total, name }) => `${self} ${total} ${name}`).sort());
    compared += rows.length;
  }
  expect(compared).toBeGreaterThan(0);
});

test('-diff_base between two URLs equals the difference of our tops', async () => {
  const [before, after] = goFiles.filter((file) => basename(file).includes('cpu'));
  const cpuBefore = before ?? '';
  const cpuAfter = after ?? cpuBefore;
  await postAt(cpuBefore, { service_name: 'diffed', service_version: 'v1' }, 100);
  await postAt(cpuAfter, { service_name: 'diffed', service_version: 'v2' }, 50);
  await postAt(cpuAfter, { service_name: 'diffed', service_version: 'v2' }, 40);
  const type = 'process_cpu:cpu:nanoseconds:cpu:nanoseconds';
  const query = (version: string) => `${type}{service_name="diffed",service_version="${version}"}`;
  const url = (version: string) => `${server.url}/api/v1/pprof?query=${query(version)}&from=now-1h&until=now%2B1m`;
  const said = await pprof(
    '-top',
    '-nodecount=100000',
    '-nodefraction=0',
    '-unit=ns',
    `-diff_base=${url('v1')}`,
    url('v2'),
  );
  const difference = new Map<string, { self: bigint; total: bigint }>();
  for (const [version, sign] of [
    ['v1', -1n],
    ['v2', 1n],
  ] as const) {
    for (const { name, self, total } of (await top(query(version))).functions) {
      const known = difference.get(name) ?? { self: 0n, total: 0n };
      difference.set(name, { self: known.self + sign * BigInt(self), total: known.total + sign * BigInt(total) });
    }
  }
  const changed = [...difference].filter(([, { self, total }]) => self !== 0n || total !== 0n);
  const expected = changed.map(([name, { self, total }]) => `${self} ${total} ${name}`).sort();
  expect(rowsOfTop(said).filter((row) => !row.startsWith('0 0 '))).toEqual(expected);
});

test('an empty range is an empty profile to the tool, and nonsense is refused in words that it shows', async () => {
  const [file = ''] = goFiles;
  const selector = `{service_name="${serviceOf(file)}"}`;
  const [type] = await profileTypes(selector);
  const url = `${server.url}/api/v1/pprof?query=${type?.id}${selector}&from=now-9h&until=now-8h`;
  expect(await pprof('-top', url)).toContain('Showing nodes accounting for 0, 0% of 0 total');
  const nonsense = pprof('-top', `${server.url}/api/v1/pprof?query=nonsense&from=now-1h`);
  await expect(nonsense).rejects.toThrow(/404 Not Found - no stored profile fits nonsense/);
});

test('labels, numeric labels with units, lines and inlined frames come back as they were posted', async () => {
  const [file = ''] = goFiles.filter((name) => basename(name).includes('cpu'));
  const posted = join(dir, 'posted.pb');
  writeFileSync(posted, unpacked(file));
  const [type] = await profileTypes(`{service_name="${serviceOf(file)}"}`);
  const url = `${server.url}/api/v1/pprof?query=${type?.id}{service_name="${serviceOf(file)}"}&from=now-1h&until=now%2B1m`;
  expect(await pprof('-tags', url)).toBe(await pprof('-tags', posted));
  const lines = ['-top', '-lines', '-nodecount=100000', '-nodefraction=0'];
  expect(rowsOfTop(await pprof(...lines, url))).toEqual(rowsOfTop(await pprof(...lines, posted)));
  expect(await pprof('-traces', url)).toContain('-----------+---');
});
