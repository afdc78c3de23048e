import {
  chownSync,
  existsSync,
  lstatSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  appendFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { LiveTest, liveProcess, namesOf } from './testing/live-process.ts';

const live = new LiveTest();
const script = join(live.directory, 'hot.js');
writeFileSync(
  script,
  `function plantedHot(n) { return n < 2 ? n : plantedHot(n - 1) + plantedHot(n - 2); }
for (let i = 0; i < 5; i++) plantedHot(27);
process.on('SIGTERM', () => process.exit(0));
console.log('ready');
setInterval(() => plantedHot(5), 1000);`,
);
/** A program that does nothing; it has no code of its own that would matter. */
const idle = ['/usr/bin/perl', ['-e', '$| = 1; print "ready\\n"; sleep 1 while 1']] as const;
const maps: string[] = [];
afterAll(() => {
  for (const map of maps) rmSync(map, { force: true });
});

/** Where the map says that the function is now: the last line of its name. */
function placeOf(map: string, name: string): bigint {
  const line = readFileSync(map, 'latin1')
    .split('\n')
    .findLast((each) => each.includes(name));
  return BigInt(`0x${line?.split(' ')[0] ?? ''}`) + 2n;
}

test('code of Node.js has the names of its perf map, and what the map does not list is [anon]', async () => {
  const { pid } = await live.start(process.execPath, ['--perf-basic-prof', script]);
  const map = `/tmp/perf-${pid}.map`;
  maps.push(map);
  const view = liveProcess(pid);
  const symbolizer = live.symbolizer();
  const anonymous = view.mappings.filter(({ path }) => path === '//anon');
  for (const mapping of view.mappings) symbolizer.prepare(view, mapping);
  const place = placeOf(map, 'plantedHot');
  const [hot, first] = await symbolizer.resolveUser(
    view,
    BigUint64Array.of(place, anonymous[0]?.start ?? 0n),
    Uint8Array.of(1, 1),
  );
  expect(hot).toMatchObject({ kind: 'jit', address: place, mapping: { file: '//anon' } });
  expect(hot?.lines[0]).toMatchObject({ name: 'plantedHot', file: expect.stringMatching(/hot\.js$/) as string });
  expect(hot?.lines[0]?.systemName).toMatch(/plantedHot .*hot\.js/);
  expect(first).toMatchObject({ kind: 'unsymbolized', lines: [{ name: '[anon]' }] });
  expect(live.lost()).toEqual({});
});

test('a map that grows is read on, and names outlive the process until it is forgotten', async () => {
  const started = await live.start(...idle);
  const map = `/tmp/perf-${started.pid}.map`;
  maps.push(map);
  const view = liveProcess(started.pid);
  const symbolizer = live.symbolizer();
  const anonymous = {
    start: 0x1_0000n,
    end: 0x2_0000n,
    fileOffset: 0n,
    path: '//anon',
    buildId: '',
    device: '00:00',
    inode: 0n,
  };
  const withCode = { ...view, mappings: [anonymous] };
  symbolizer.prepare(withCode, anonymous);
  expect(await namesOf(symbolizer, withCode, [0x1_0010n])).toEqual(['[anon]']);
  writeFileSync(map, '10000 20 first one\n10040 20 sec');
  await expect
    .poll(() => namesOf(symbolizer, withCode, [0x1_0010n, 0x1_0040n]), { timeout: 10_000 })
    .toEqual(['first one', '[anon]']);
  appendFileSync(map, 'ond\n10000 20 _Z3newi\n');
  await expect
    .poll(() => namesOf(symbolizer, withCode, [0x1_0010n, 0x1_0040n]), { timeout: 10_000 })
    .toEqual(['new', 'second']);
  // What is written in the last moment is read when the process is forgotten, the unfinished line as well.
  appendFileSync(map, '10080 8 last');
  await started.end();
  rmSync(map);
  symbolizer.forget(withCode);
  expect(await namesOf(symbolizer, withCode, [0x1_0010n, 0x1_0080n])).toEqual(['new', 'last']);
  expect(live.lost()).toEqual({});
});

test('a map that is written anew replaces the old one', async () => {
  const started = await live.start(...idle);
  const map = `/tmp/perf-${started.pid}.map`;
  maps.push(map);
  writeFileSync(map, '10000 20 old name\n20000 20 gone\n');
  const view = { ...liveProcess(started.pid), mappings: [] };
  const symbolizer = live.symbolizer();
  expect(await namesOf(symbolizer, view, [0x1_0000n, 0x2_0000n])).toEqual(['old name', 'gone']);
  writeFileSync(map, '10000 20 new name and more text than there was before, so that the size alone does not tell\n');
  await expect
    .poll(() => namesOf(symbolizer, view, [0x1_0000n, 0x2_0000n]), { timeout: 10_000 })
    .toEqual(['new name and more text than there was before, so that the size alone does not tell', '[unmapped]']);
});

test('a map is found by the PID and in the /tmp of the process', async () => {
  const map = join(live.directory, 'inner.map');
  writeFileSync(map, '10000 20 in the container\n');
  const shell = `mount -t tmpfs none /tmp && cp /proc/self/fd/3/inner.map /tmp/perf-$$.map && exec perl -e '$| = 1; print "ready\\n"; sleep 1 while 1'`;
  const started = await live.start('/usr/bin/unshare', [
    '--mount',
    '--pid',
    '--fork',
    '--kill-child',
    '/bin/sh',
    '-c',
    `exec 3<${live.directory}; ${shell}`,
  ]);
  const child = Number(readFileSync(`/proc/${started.pid}/task/${started.pid}/children`, 'utf8').trim());
  const view = liveProcess(child);
  expect(view.namespacePid).toBe(1);
  expect(existsSync('/tmp/perf-1.map')).toBe(false);
  expect(await namesOf(live.symbolizer(), { ...view, mappings: [] }, [0x1_0000n])).toEqual(['in the container']);
});

test('links and files of other users are no maps, and are counted', async () => {
  const real = join(live.directory, 'real.map');
  writeFileSync(real, '10000 20 trap\n');
  for (const kind of ['link', 'directory', 'owner'] as const) {
    const started = await live.start(...idle);
    const map = `/tmp/perf-${started.pid}.map`;
    maps.push(map);
    if (kind === 'link') symlinkSync(real, map);
    if (kind === 'directory') symlinkSync('/tmp', map);
    if (kind === 'owner') {
      writeFileSync(map, '10000 20 trap\n');
      chownSync(map, 12_345, 12_345);
    }
    expect(lstatSync(map).isDirectory()).toBe(false);
    const view = { ...liveProcess(started.pid), mappings: [] };
    expect(await namesOf(live.symbolizer(), view, [0x1_0000n])).toEqual(['[unmapped]']);
  }
  expect(live.lost()).toEqual({ 'reads_failed/perf_map': 3 });
});

test('code of Node.js has the names of its jitdump, which V8 writes in large pieces and at its end', async () => {
  const { pid, end } = await live.start(process.execPath, [
    '--perf-prof',
    '--perf-basic-prof',
    `--perf-prof-path=${live.directory}`,
    script,
  ]);
  const map = `/tmp/perf-${pid}.map`;
  const place = placeOf(map, 'plantedHot');
  // The map was the truth; from here on there is only the dump.
  renameSync(map, join(live.directory, 'truth.map'));
  const view = liveProcess(pid);
  const dump = view.mappings.find(({ path }) => path.endsWith(`/jit-${pid}.dump`));
  expect(dump).toBeDefined();
  const symbolizer = live.symbolizer();
  for (const mapping of view.mappings) symbolizer.prepare(view, mapping);
  await symbolizer.statistics();
  await end('SIGTERM');
  symbolizer.forget(view);
  expect(await namesOf(symbolizer, view, [place])).toEqual([expect.stringContaining('plantedHot')]);
  expect(live.lost()).toEqual({});
});
