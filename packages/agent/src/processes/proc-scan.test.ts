import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';

import { expect, test } from 'vitest';

import { listPids, parseMaps, parseStat, readNamespacePid, scanProcess } from './proc-scan.ts';

test('of a maps text, the executable mappings are kept', () => {
  const text = `55d0c0a00000-55d0c0a2f000 r--p 00000000 fd:01 1234 /usr/bin/my tool
55d0c0a2f000-55d0c0b0e000 r-xp 0002f000 fd:01 1234                       /usr/bin/my tool
7f2a10000000-7f2a10021000 rwxp 00000000 00:00 0
7f2a20000000-7f2a20021000 r-xp 00000000 00:00 0                          [anon:v8]
7ffd5b1c5000-7ffd5b1c7000 r-xp 00000000 00:00 0                          [vdso]
7f2a30000000-7f2a30021000 r-xp 00001000 fd:01 99                         /tmp/old (deleted)
`;
  expect(parseMaps(text).map(({ start, fileOffset, path, inode }) => [start, fileOffset, path, inode])).toEqual([
    [0x55d0c0a2f000n, 0x2f000n, '/usr/bin/my tool', 1234n],
    [0x7f2a10000000n, 0n, '//anon', 0n],
    [0x7f2a20000000n, 0n, '//anon', 0n],
    [0x7ffd5b1c5000n, 0n, '[vdso]', 0n],
    [0x7f2a30000000n, 0x1000n, '/tmp/old (deleted)', 99n],
  ]);
});

test.each([
  ['(bash)', 'bash'],
  ['(a) b (c)', 'a) b (c'],
  ['(kworker/0:1-events)', 'kworker/0:1'],
  ['(kworker/u8:3+flush-254:0)', 'kworker/u8:3'],
  ['(kworker/R-mm_percpu_wq)', 'kworker/R-mm_percpu_wq'],
  ['()', ''],
])('the comm of the stat text %s is %j', (drawn, comm) => {
  const stat = parseStat(`12 ${drawn} S 3 12 12 0 -1 2097152 0 0 0 0 0 0 0 0 20 0 5 0 24 0\n`);
  expect(stat).toEqual({ comm, parentPid: 3, flags: 2097152 });
});

test('this process is seen as it is', () => {
  const scanned = scanProcess(process.pid);
  expect(scanned?.executablePath).toBe(process.execPath);
  expect(scanned?.parentPid).toBe(process.ppid);
  expect(scanned?.isKernelThread).toBe(false);
  expect(scanned?.mappings.some((each) => each.path.endsWith(`/${basename(process.execPath)}`))).toBe(true);
  expect(listPids()).toContain(process.pid);
  expect(readNamespacePid(process.pid)).toBe(process.pid);
});

test('a kernel thread has neither executable nor mappings', () => {
  expect(scanProcess(2)).toMatchObject({ comm: 'kthreadd', isKernelThread: true, executablePath: '', mappings: [] });
});

test('a process that is gone is undefined, a zombie has no mappings', async () => {
  const child = spawn('true');
  await once(child, 'exit');
  expect(scanProcess(child.pid ?? 0)).toBeUndefined();
  expect(readNamespacePid(child.pid ?? 0)).toBeUndefined();
});

test('one that exits while it is read may lack mappings, and says so', async () => {
  let isCaught = false;
  while (!isCaught) {
    const child = spawn('true');
    const exited = once(child, 'exit');
    for (;;) {
      const scanned = scanProcess(child.pid ?? 0);
      if (scanned === undefined || scanned.executablePath === '') break;
      expect(scanned.isLeaving || scanned.mappings.length > 0).toBe(true);
      isCaught ||= scanned.isLeaving;
    }
    await exited;
  }
});

test('the PID in its own namespace is the last one', async () => {
  const outside = spawn('unshare', ['--pid', '--fork', '--kill-child', 'sleep', '60']);
  try {
    const children = `/proc/${outside.pid}/task/${outside.pid}/children`;
    const inside = (): string => readFileSync(children, 'utf8').trim();
    await expect.poll(inside).toMatch(/^\d+$/u);
    expect(readNamespacePid(Number(inside()))).toBe(1);
  } finally {
    outside.kill();
  }
});
