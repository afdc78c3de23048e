import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { Random } from '@everflame/compare/testing';
import { encodeProfile, ProfileBuilder } from '@everflame/profile';
import { http } from '@everflame/protocols';
import { Value } from 'typebox/value';
import { afterAll, beforeAll, expect, test } from 'vitest';

const main = fileURLToPath(new URL('../main.ts', import.meta.url));
const random = new Random(3);
let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'everflame-diff-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

/** A run of half a minute: forty functions of a hundred samples, and `slow` more of `format`, which runs differ in by 1 %. */
function record(
  name: string,
  slow: number,
  labels: readonly { key: string; text: string }[] = [],
  comments: readonly string[] = [],
  seconds = 30,
): string {
  const builder = new ProfileBuilder({
    sampleTypes: [
      { type: 'samples', unit: 'count' },
      { type: 'cpu', unit: 'nanoseconds' },
    ],
    periodType: { type: 'cpu', unit: 'nanoseconds' },
    period: 10_000_000n,
    timeNanos: 1_700_000_000_000_000_000n,
    durationNanos: BigInt(seconds) * 1_000_000_000n,
    comments,
  });
  const stack = (...names: string[]): number =>
    names.reduce((parent, one) => {
      const line = { function: builder.function({ name: one, file: `${one}.ts` }) };
      return builder.stack(parent, builder.location({ lines: [line] }));
    }, 0);
  const add = (mean: number, ...names: string[]): void => {
    const count = BigInt(random.poisson(mean * Math.exp(0.01 * random.normal())));
    builder.add(stack('main', ...names), builder.labelSet([...labels]), [count, count * 10_000_000n]);
  };
  for (let i = 0; i < 40; i++) add(100, `work${i}`);
  add(slow, 'render', 'format');
  const path = join(dir, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, gzipSync(encodeProfile(builder.build())));
  return path;
}

const runs = (side: string, slow: number, count = 6): string[] =>
  Array.from({ length: count }, (_, i) => record(`${side}/run${i}.pb.gz`, slow));

interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function diff(...args: readonly string[]): Ran {
  return spawnSync(process.execPath, [main, 'diff', ...args], { encoding: 'utf8' });
}

function answerOf({ stdout }: Ran): http.CompareAnswer {
  const answer: unknown = JSON.parse(stdout);
  expect([...Value.Errors(http.CompareAnswer, answer)]).toEqual([]);
  return answer as http.CompareAnswer;
}

test('files with the same names are pairs; a regression is exit 1, with the culprit and its stack', () => {
  const [before, after] = [runs('main', 300), runs('branch', 900)];
  const ran = diff('--format', 'json', ...before, '--', ...after);
  expect([ran.status, ran.stderr]).toEqual([1, 'everflame: regressed: format, render\n']);
  const answer = answerOf(ran);
  expect(answer.summary).toMatchObject({
    unitKind: 'file',
    pairedUnits: 6,
    verdict: 'regressed',
    lead: { name: 'format' },
  });
  expect(answer.functions.find(({ name }) => name === 'format')).toMatchObject({
    verdict: 'regressed',
    units: { before: 6, after: 6 },
    carrier: { stack: ['main', 'render', 'format'] },
  });
  const table = diff(...before, '--', ...after);
  expect(table.status).toBe(1);
  expect(table.stdout).toMatch(/^after uses \d+\.\d % .* more CPU than before; (\d+ %|all) of it is in format\.\n/);
  expect(table.stdout).toMatch(/\n *[67]\.\d\d % +18\.\d\d % +\+\d+\.\d % .* regressed +format \(format\.ts\)\n/);
  expect(diff('--fail-on', 'never', ...before, '--', ...after).status).toBe(0);
  expect(diff('--min-effect', '300%', ...before, '--', ...after).status).toBe(0);
});

test('what did not change is exit 0; files without partners are two groups', () => {
  const [before, after] = [
    runs('calm', 300),
    runs('same', 300, 5).map((path, i) => record(`${path}${i}`.slice(dir.length), 300)),
  ];
  const ran = diff('--format', 'json', ...before, '--', ...after);
  expect([ran.status, ran.stderr]).toEqual([0, '']);
  expect(answerOf(ran).summary).toMatchObject({
    pairedUnits: 0,
    verdict: 'unchanged',
    before: { units: 6 },
    after: { units: 5 },
  });
});

test('files of different names are paired by the host that their samples name', () => {
  const of = (side: string): string[] =>
    ['a', 'b', 'c', 'd', 'e'].map((host) => record(`${side}-${host}.pb.gz`, 300, [{ key: 'host_name', text: host }]));
  const answer = answerOf(diff('--format', 'json', ...of('old'), '--', ...of('new')));
  expect(answer.summary.pairedUnits).toBe(5);
});

test('one file on each side is weak evidence: exit 3, or what is likely on its own', () => {
  const [before, slow, same] = [record('one.pb.gz', 300), record('two.pb.gz', 600), record('three.pb.gz', 300)];
  const ran = diff(before, '--', slow);
  expect([ran.status, ran.stderr]).toEqual([3, 'everflame: weak evidence, 1 file: no verdict is given\n']);
  expect(ran.stdout).toContain('weak evidence: 1 file, leans to regressed');
  expect(ran.stdout).toContain('not how runs differ');
  expect(diff('--fail-on', 'likely', before, '--', slow).status).toBe(1);
  expect(diff('--fail-on', 'likely', before, '--', same).status).toBe(0);
  // Two files as they have always been given are shown, and judged only when that is asked for.
  expect(diff(before, slow).status).toBe(0);
  expect(diff('--fail-on', 'likely', before, slow).status).toBe(1);
});

test('by requests: what the files say that was served divides; a file that does not say it is exit 2', () => {
  const served = (side: string, requests: number): string[] =>
    Array.from({ length: 6 }, (_, i) => record(`${side}/${i}.pb.gz`, 300, [], [`everflame: requests ${requests}`]));
  const [before, same, dearer] = [served('many', 2000), served('as-many', 2000), served('fewer', 1000)];
  const by = ['--normalisation', 'request', '--format', 'json'];
  const calm = diff(...by, ...before, '--', ...same);
  expect([calm.status, calm.stderr]).toEqual([0, '']);
  expect(answerOf(calm).summary).toMatchObject({ normalisation: 'request', basis: 'request', verdict: 'unchanged' });
  const ran = diff(...by, ...before, '--', ...dearer);
  expect(ran.status).toBe(1);
  const { summary } = answerOf(ran);
  expect(summary).toMatchObject({ basis: 'request', verdict: 'regressed', nature: 'cost' });
  expect(summary.request?.change).toBeCloseTo(1, 1);
  const lacking = diff(...by, ...before, '--', ...runs('uncounted', 300));
  expect([lacking.status, lacking.stderr]).toEqual([
    2,
    expect.stringMatching(/run0\.pb\.gz does not say how many requests were served: record it with --requests/),
  ]);
});

test('by runs: of a command it is what a run costs, however long a busy machine takes for it', () => {
  const stretched = (side: string, comments: readonly string[]): string[] =>
    [30, 95, 41, 30, 250, 64].map((seconds, i) => record(`${side}-${i}.pb.gz`, 300, [], comments, seconds));
  const [before, after] = ['first', 'second'].map((side) => stretched(side, ['everflame: run of a command']));
  const ran = diff('--format', 'json', ...(before ?? []), '--', ...(after ?? []));
  expect([ran.status, ran.stderr]).toEqual([0, '']);
  const { summary, sentence } = answerOf(ran);
  expect(summary).toMatchObject({ basis: 'request', requestKind: 'run', verdict: 'unchanged' });
  expect(sentence).toContain('CPU per run');
  // One that was cut short says nothing of runs.
  const cut = answerOf(diff('--format', 'json', ...(before ?? []), '--', ...stretched('cut', [])));
  expect(cut.summary).toMatchObject({ requestKind: 'request', request: null });
});

test('by runs: what a function costs, not its share, of which one that grows takes from all others', () => {
  const benchmark = (side: string, render: number): string[] =>
    Array.from({ length: 6 }, (_, i) => {
      const builder = new ProfileBuilder({
        sampleTypes: [
          { type: 'samples', unit: 'count' },
          { type: 'cpu', unit: 'nanoseconds' },
        ],
        defaultSampleType: 'cpu',
        comments: ['everflame: run of a command'],
      });
      for (const [name, mean] of Object.entries({ parse: 2000, sortRows: 1500, render })) {
        const line = { function: builder.function({ name, file: 'bench.js' }) };
        const count = BigInt(random.poisson(mean * Math.exp(0.01 * random.normal())));
        builder.add(builder.stack(0, builder.location({ lines: [line] })), 0, [count, count * 10_000_000n]);
      }
      const path = join(dir, `${side}-${i}.pb`);
      writeFileSync(path, encodeProfile(builder.build()));
      return path;
    });
  const [before, after] = [benchmark('small', 3000), benchmark('grown', 4500)];
  expect(diff(...before, '--', ...after).stdout).toMatch(/\d\d\.\d s +4\d\.\d s +\+\d+\.\d % .* regressed +render/u);
  const { summary, functions } = answerOf(diff('--format', 'json', ...before, '--', ...after));
  expect(summary).toMatchObject({ normalisation: 'request', requestKind: 'run', verdict: 'regressed' });
  const rows = Object.fromEntries(functions.map((row) => [row.name, row]));
  expect(rows['render']).toMatchObject({ verdict: 'regressed', change: expect.closeTo(0.5, 1) as number });
  expect([rows['parse']?.verdict, rows['sortRows']?.verdict]).toEqual(['unchanged', 'unchanged']);
});

test('markdown and JUnit escape what a name may hold', () => {
  const evil = (side: string): string[] =>
    Array.from({ length: 6 }, (_, i) => {
      const builder = new ProfileBuilder({ sampleTypes: [{ type: 'samples', unit: 'count' }] });
      const add = (name: string, count: number): void => {
        const line = { function: builder.function({ name, file: 'a|b.ts' }) };
        builder.add(builder.stack(0, builder.location({ lines: [line] })), 0, [BigInt(count + i)]);
      };
      add('f<"x">&`|`\u0007@everyone', side === 'x' ? 1000 : 2000);
      add('g', 4000);
      const path = join(dir, `${side}${i}.pb`);
      writeFileSync(path, encodeProfile(builder.build()));
      return path;
    });
  const [before, after] = [evil('x'), evil('y')];
  const junit = diff('--format', 'junit', ...before, '--', ...after).stdout;
  const parse = `import sys, xml.etree.ElementTree as e
s = e.fromstring(sys.stdin.read()).find('testsuite')
print(s.get('tests'), s.get('failures'), len(s.findall('testcase/failure')), [c.get('name') for c in s.findall('testcase')])`;
  const parsed = spawnSync('python3', ['-c', parse], { input: junit, encoding: 'utf8' });
  expect(parsed.stderr).toBe('');
  expect(parsed.stdout).toMatch(/^3 1 1 \['the whole service', 'f<"x">&`\|`\ufffd@everyone \(a\|b\.ts\)', 'g/);
  const markdown = diff('--format', 'markdown', ...before, '--', ...after).stdout;
  expect(markdown).toContain('| `` f<"x">&`\\|`\u0007@everyone `` a\\|b.ts | 20.');
});

test('wrong input is exit 2', () => {
  const [one, two] = [record('p.pb.gz', 300), record('q.pb.gz', 300)];
  writeFileSync(join(dir, 'no.pb.gz'), 'no profile');
  expect(diff(one, '--', join(dir, 'no.pb.gz'))).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('is not a profile') as string,
  });
  expect(diff(one, '--', join(dir, 'missing.pb.gz')).status).toBe(2);
  expect(diff(one, '--').status).toBe(2);
  expect(diff(one).status).toBe(2);
  expect(diff(one, two, two).status).toBe(2);
  expect(diff('--min-effect', 'much', one, two).status).toBe(2);
  expect(diff('--service', 'x', '--before', 'a', '--after', 'b', '--server', 'http://127.0.0.1:9').status).toBe(2);
});

test('values without sample counts are shown as they are', () => {
  const heap = (name: string, size: bigint): string => {
    const builder = new ProfileBuilder({ sampleTypes: [{ type: 'inuse_space', unit: 'bytes' }] });
    const line = { function: builder.function({ name: 'allocate' }) };
    builder.add(builder.stack(0, builder.location({ lines: [line] })), 0, [size]);
    writeFileSync(join(dir, name), encodeProfile(builder.build()));
    return join(dir, name);
  };
  const ran = diff(heap('h1.pb', 1024n), heap('h2.pb', 4096n));
  expect(ran.status).toBe(0);
  expect(ran.stdout).toMatch(
    /^before 1\.00 KiB, after 4\.00 KiB; self values; whether a change is noise is not judged\n/,
  );
});
