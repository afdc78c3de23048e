import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, test } from 'vitest';

import { LossCounters } from '../health/counters.ts';
import type { PerfRecord } from './perf-record.ts';
import type { ProcessMapping } from './process.ts';
import { ProcessTable } from './process-table.ts';

let proc = '';
let losses = new LossCounters();
beforeEach(() => {
  proc = mkdtempSync(join(tmpdir(), 'everflame-proc-'));
  losses = new LossCounters();
});
afterEach(() => rmSync(proc, { recursive: true }));

/** A process in the drawn /proc; `maps` are lines of it. */
function live(
  pid: number,
  comm: string,
  options: { exe?: string; parent?: number; flags?: number; maps?: string[] } = {},
): void {
  const folder = join(proc, String(pid));
  mkdirSync(join(folder, 'task'), { recursive: true });
  const flags = options.flags ?? 0x400000;
  writeFileSync(join(folder, 'stat'), `${pid} (${comm}) S ${options.parent ?? 1} 0 0 0 -1 ${flags} 0 0 0 0 0\n`);
  writeFileSync(join(folder, 'maps'), (options.maps ?? []).map((line) => `${line}\n`).join(''));
  if (options.exe !== undefined) symlinkSync(options.exe, join(folder, 'exe'));
}

const gone = (pid: number): void => rmSync(join(proc, String(pid)), { recursive: true });

function table(): ProcessTable {
  const made = new ProcessTable({ losses, procRoot: proc });
  made.scan();
  return made;
}

let clock = 0;
const fork = (pid: number, parentPid: number, tid = pid): PerfRecord => ({
  kind: 'fork',
  timeNs: ++clock,
  pid,
  parentPid,
  tid,
});
const exec = (pid: number, comm: string): PerfRecord => ({
  kind: 'comm',
  timeNs: ++clock,
  pid,
  tid: pid,
  comm,
  isExec: true,
});
const rename = (pid: number, tid: number, comm: string): PerfRecord => ({
  kind: 'comm',
  timeNs: ++clock,
  pid,
  tid,
  comm,
  isExec: false,
});
const mmap = (pid: number, path: string, start = 0x1000n): PerfRecord => ({
  kind: 'mmap',
  timeNs: ++clock,
  pid,
  mapping: mapping(path, start),
});
const mapping = (path: string, start = 0x1000n): ProcessMapping => ({
  start,
  end: start + 0x1000n,
  fileOffset: 0n,
  path,
  buildId: 'ab',
  device: '',
  inode: 0n,
});

test('the scan knows executables, kernel threads by their comm, and what it may not read by its comm', () => {
  live(2, 'kthreadd', { flags: 0x200000, parent: 0 });
  live(10, 'bash', { exe: '/usr/bin/bash', maps: ['1000-2000 r-xp 00000000 fd:01 7 /usr/bin/bash'] });
  live(11, 'old', { exe: '/opt/old (deleted)', parent: 10 });
  const all = table();
  expect(all.find(2, true)).toMatchObject({ executableName: '[kthreadd]', isKernelThread: true });
  expect(all.find(10, false)).toMatchObject({ executableName: 'bash', executablePath: '/usr/bin/bash' });
  expect(all.find(10, false)?.mappings).toHaveLength(1);
  expect(all.find(11, false)).toMatchObject({ executableName: 'old', parent: all.find(10, false) });
});

test('a fork has its parent’s program, an exec another one, named by its first file mapping', () => {
  live(10, 'sh', { exe: '/bin/sh', maps: ['1000-2000 r-xp 00000000 fd:01 7 /bin/sh'] });
  const all = table();
  all.apply(fork(20, 10));
  const child = all.get(20, '', false);
  expect(child).toMatchObject({ executableName: 'sh', executablePath: '/bin/sh', parentPid: 10 });
  expect(child.mappings).toBe(all.get(10, '', false).mappings);

  all.apply(exec(20, 'a-very-long-nam'));
  const other = all.get(20, '', false);
  expect(other).toMatchObject({ executableName: 'a-very-long-nam', executablePath: '', awaitsExecutable: true });
  expect(other.mappings).toEqual([]);
  expect(other.startTimeNs).toBe(child.startTimeNs);
  all.apply(mmap(20, '[vdso]', 0x9000n));
  all.apply(mmap(20, '/opt/a-very-long-name'));
  all.apply(mmap(20, '/lib/ld.so', 0x3000n));
  expect(other).toMatchObject({ executableName: 'a-very-long-name', awaitsExecutable: false });
  expect(other.mappings.map((each) => each.path)).toEqual(['/opt/a-very-long-name', '/lib/ld.so', '[vdso]']);
  // The image before is as it was: samples from then still mean sh.
  expect(child.executableName).toBe('sh');
});

test('a child writes its own mappings only, and a thread is no process', () => {
  live(10, 'sh', { exe: '/bin/sh', maps: ['1000-2000 r-xp 00000000 fd:01 7 /bin/sh'] });
  const all = table();
  all.apply(fork(20, 10));
  all.apply(mmap(20, '/lib/plugin.so', 0x5000n));
  expect(all.get(10, '', false).mappings).toHaveLength(1);
  expect(all.get(20, '', false).mappings).toHaveLength(2);
  all.apply(fork(10, 10, 30));
  expect(all.find(30, false)).toBeUndefined();
});

test('a reused PID is another process', () => {
  live(10, 'sh', { exe: '/bin/sh' });
  live(11, 'make', { exe: '/bin/make' });
  const all = table();
  all.apply(fork(20, 10));
  const first = all.get(20, '', false);
  all.apply({ kind: 'exit', timeNs: ++clock, pid: 20, tid: 20 });
  expect(all.get(20, '', false)).toBe(first);
  all.apply(fork(20, 11));
  const second = all.get(20, '', false);
  expect([first.executableName, second.executableName]).toEqual(['sh', 'make']);
  expect(second.startTimeNs).toBeGreaterThan(first.startTimeNs);
});

test('mapping another file over one that samples have hit keeps the old list for them', () => {
  live(10, 'app', { exe: '/bin/app' });
  const all = table();
  all.apply(mmap(10, '/lib/a.so', 0x5000n));
  const before = all.get(10, '', false);
  before.prepared = new Set();
  all.apply(mmap(10, '/lib/b.so', 0x5000n));
  const after = all.get(10, '', false);
  expect(before.mappings.map((each) => each.path)).toEqual(['/lib/a.so']);
  expect(after.mappings.map((each) => each.path)).toEqual(['/lib/b.so']);
  expect(after.executableName).toBe('app');
});

test('the main thread names the process where there is no executable, other threads never', () => {
  live(2, 'kthreadd', { flags: 0x200000 });
  const all = table();
  all.apply(fork(50, 2));
  expect(all.get(50, '', true).executableName).toBe('[kthreadd]');
  all.apply(rename(50, 50, 'kworker/0:3'));
  expect(all.get(50, '', true).executableName).toBe('[kworker/0:3]');
  all.apply(rename(50, 51, 'other'));
  expect(all.get(50, '', true).executableName).toBe('[kworker/0:3]');
  // A helper that the kernel starts is a kernel thread until its exec.
  all.apply(exec(50, 'modprobe'));
  all.apply(mmap(50, '/sbin/modprobe'));
  expect(all.get(50, '', false)).toMatchObject({ isKernelThread: false, executableName: 'modprobe' });
});

test('a process that no record told of is looked up, and named by its comm when it is gone', () => {
  const all = table();
  live(40, 'late', { exe: '/bin/late' });
  expect(all.get(40, 'late', false)).toMatchObject({ executableName: 'late', executablePath: '/bin/late' });
  expect(all.get(41, 'brief', false)).toMatchObject({ executableName: 'brief', executablePath: '', mappings: [] });
});

test('lost records are counted, and made good from /proc', () => {
  live(10, 'sh', { exe: '/bin/sh', maps: ['1000-2000 r-xp 00000000 fd:01 7 /bin/sh'] });
  const all = table();
  const before = all.get(10, '', false);
  all.apply({ kind: 'lost', timeNs: ++clock, lost: 12 });
  gone(10);
  live(10, 'ls', { exe: '/bin/ls', maps: ['1000-2000 r-xp 00000000 fd:01 8 /bin/ls'] });
  live(60, 'unseen', { exe: '/bin/unseen' });
  all.reconcile();
  expect(losses.rows().find((row) => row.cause === 'perf_buffer_full')?.total).toBe(12);
  expect(all.get(10, '', false)).toMatchObject({ executableName: 'ls' });
  expect(all.find(60, false)).toMatchObject({ executableName: 'unseen' });
  expect(before.executableName).toBe('sh');
});

test('a process that is gone is dropped at the second look, and told of once if it had samples', () => {
  live(10, 'sh', { exe: '/bin/sh' });
  live(11, 'idle', { exe: '/bin/idle' });
  const all = table();
  const sampled = all.get(10, '', false);
  sampled.prepared = new Set();
  gone(10);
  gone(11);
  all.reconcile();
  expect(all.size).toBe(2);
  expect(all.takeRetired()).toEqual([]);
  all.reconcile();
  expect(all.size).toBe(0);
  expect(all.takeRetired()).toEqual([sampled]);
  expect(all.takeRetired()).toEqual([]);
});
