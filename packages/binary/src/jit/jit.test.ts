import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { BufferSource } from '../byte-source.ts';
import { FileSource } from '../file-source.ts';
import { mutations } from '../testing/mutate.ts';
import { TemporaryFiles } from '../testing/temporary-files.ts';
import { JitCodeTable } from './jit-code-table.ts';
import { JitDumpReader } from './jitdump.ts';
import { PerfMapReader } from './perf-map.ts';

const files = new TemporaryFiles();

function readMap(text: string, cuts: readonly number[] = []): { table: JitCodeTable; malformed: number } {
  const table = new JitCodeTable();
  const reader = new PerfMapReader(table);
  const bytes = Buffer.from(text);
  let from = 0;
  for (const cut of [...cuts, bytes.length]) {
    reader.push(bytes.subarray(from, cut));
    from = cut;
  }
  reader.finish();
  return { table, malformed: reader.malformedLines };
}

const map = [
  '7f0000001000 20 LazyCompile:*fib /app/a b.js:1:13',
  '0x7f0000002000 0x10 Function:with spaces  and more ',
  'ffffffffffffffff 10 beyond 2^53',
  'nonsense',
  '7f0000003000 zz bad size',
  '',
  '7f0000001010 8 JS:~later /app/c.js:9:1',
  '7f0000004000 0 empty',
  '7f0000005000 4 last without newline',
].join('\n');

test('a perf map gives the code that holds an address, the later line where two do', () => {
  const { table, malformed } = readMap(map);
  const at = (address: bigint): string | undefined => table.find(address)?.systemName;
  expect(at(0x7f00_0000_0fffn)).toBeUndefined();
  expect(at(0x7f00_0000_1000n)).toBe('LazyCompile:*fib /app/a b.js:1:13');
  expect(at(0x7f00_0000_1010n)).toBe('JS:~later /app/c.js:9:1');
  expect(at(0x7f00_0000_1018n)).toBe('LazyCompile:*fib /app/a b.js:1:13');
  expect(at(0x7f00_0000_1020n)).toBeUndefined();
  expect(at(0x7f00_0000_200fn)).toBe('Function:with spaces  and more ');
  expect(at(0x7f00_0000_4000n)).toBeUndefined();
  expect(at(0x7f00_0000_5003n)).toBe('last without newline');
  expect(at(0xffff_ffff_ffff_ffffn)).toBeUndefined();
  expect(malformed).toBe(2);
});

test('a perf map may be cut anywhere while it is written', () => {
  const whole = readMap(map);
  const addresses = [0x1000n, 0x1010n, 0x1018n, 0x2000n, 0x5000n].map((low) => 0x7f00_0000_0000n + low);
  const names = addresses.map((address) => whole.table.find(address)?.systemName);
  for (let cut = 0; cut <= map.length; cut++) {
    const { table, malformed } = readMap(map, [cut]);
    expect([malformed, ...addresses.map((address) => table.find(address)?.systemName)]).toEqual([2, ...names]);
  }
});

test('code that is added between look-ups replaces what it covers, as a plain array of places would have it', () => {
  const addition = fc.record({ start: fc.nat(40), size: fc.integer({ min: 1, max: 12 }), look: fc.nat(55) });
  fc.assert(
    fc.property(fc.array(addition, { maxLength: 25 }), (additions) => {
      const places: string[] = [];
      const table = new JitCodeTable();
      for (const [i, { start, size, look }] of additions.entries()) {
        table.add(start, size, Buffer.from(`f${i}`));
        places.length = Math.max(places.length, start + size);
        places.fill(`f${i}`, start, start + size);
        // A look-up makes the table merge what it has so far.
        const early = look % 3 === 0 ? table.find(BigInt(look))?.systemName : places[look];
        expect(early).toBe(places[look]);
      }
      for (let at = 0; at < 60; at++) expect(table.find(BigInt(at))?.systemName).toBe(places[at]);
    }),
  );
});

test('damaged perf maps are read as far as they go', () => {
  for (const bytes of mutations(Buffer.from(map.repeat(20)), 1000, 3)) {
    const table = new JitCodeTable();
    const reader = new PerfMapReader(table);
    reader.push(bytes);
    reader.finish();
    table.find(0x7f00_0000_1000n);
    expect(table.byteLength).toBeLessThan(64 * bytes.length + 4096);
  }
  const { table } = readMap(`7f0000001000 10 ${'x'.repeat(1_000_000)}`, [1000, 2000, 500_000]);
  expect(table.find(0x7f00_0000_1000n)?.systemName.length).toBeLessThanOrEqual(16 * 1024);
});

/** A jitdump as the specification has it, of either byte order. */
function jitdump(littleEndian: boolean): Uint8Array {
  const parts: Uint8Array[] = [];
  const part = (size: number, write: (view: DataView) => void): void => {
    const bytes = new Uint8Array(size);
    write(new DataView(bytes.buffer));
    parts.push(bytes);
  };
  const le = littleEndian;
  part(40, (view) => {
    view.setUint32(0, 0x4a69_5444, le);
    view.setUint32(4, 1, le);
    view.setUint32(8, 40, le);
    view.setUint32(12, 62, le);
    view.setUint32(20, 4242, le);
  });
  const load = (start: bigint, size: number, index: bigint, name: string): void =>
    part(56 + name.length + 1 + size, (view) => {
      view.setUint32(0, 0, le);
      view.setUint32(4, view.byteLength, le);
      view.setUint32(16, 4242, le);
      view.setBigUint64(24, start, le);
      view.setBigUint64(32, start, le);
      view.setBigUint64(40, BigInt(size), le);
      view.setBigUint64(48, index, le);
      new Uint8Array(view.buffer).set(Buffer.from(name), 56);
    });
  load(0x7f00_0000_1000n, 64, 1n, 'one(int)');
  part(48, (view) => {
    // Line table of the next one: passed over.
    view.setUint32(0, 2, le);
    view.setUint32(4, 48, le);
  });
  load(0x7f00_0000_2000n, 32, 2n, 'two');
  part(64, (view) => {
    view.setUint32(0, 1, le);
    view.setUint32(4, 64, le);
    view.setBigUint64(32, 0x7f00_0000_1000n, le);
    view.setBigUint64(40, 0x7f00_0000_3000n, le);
    view.setBigUint64(48, 64n, le);
    view.setBigUint64(56, 1n, le);
  });
  part(16, (view) => {
    view.setUint32(0, 3, le);
    view.setUint32(4, 16, le);
  });
  return Buffer.concat(parts);
}

test.each([true, false])('a jitdump is read as it grows (little endian: %s)', (littleEndian) => {
  const bytes = jitdump(littleEndian);
  const table = new JitCodeTable();
  const reader = new JitDumpReader(table);
  for (let size = 0; size <= bytes.length; size++) {
    expect(reader.read(new BufferSource(bytes.subarray(0, size)))).toEqual({ ok: true, value: undefined });
  }
  expect(reader.closed).toBe(true);
  expect(
    [0x1000n, 0x103fn, 0x1040n, 0x2000n, 0x3001n].map((low) => table.find(0x7f00_0000_0000n + low)?.systemName),
  ).toEqual(['one(int)', 'one(int)', undefined, 'two', 'one(int)']);
});

test('what is no jitdump is refused in words, and damaged ones neither throw nor hang', () => {
  const reader = new JitDumpReader(new JitCodeTable());
  expect(reader.read(new BufferSource(Buffer.alloc(100)))).toMatchObject({ ok: false, error: { code: 'malformed' } });
  let accepted = 0;
  for (const bytes of mutations(jitdump(true), 3000, 5)) {
    const table = new JitCodeTable();
    const answer = new JitDumpReader(table).read(new BufferSource(bytes));
    if (answer.ok) accepted++;
    table.find(0x7f00_0000_1000n);
  }
  expect(accepted).toBeGreaterThan(500);
});

test('the perf map that Node.js writes names its functions', async () => {
  const script = files.write(
    'busy.js',
    'function plantedHot(n) { return n < 2 ? n : plantedHot(n - 1) + plantedHot(n - 2); }\nfor (let i = 0; i < 3; i++) plantedHot(27);\nprocess.stdout.write("done\\n"); setInterval(() => {}, 1000);',
  );
  const child = spawn(process.execPath, ['--perf-basic-prof', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    await new Promise((resolve) => child.stdout.once('data', resolve));
    const path = `/tmp/perf-${child.pid}.map`;
    const text = readFileSync(path, 'latin1');
    const planted = text.split('\n').filter((line) => line.includes('plantedHot'));
    expect(planted.length).toBeGreaterThan(0);
    const { table, malformed } = readMap(text);
    expect(malformed).toBe(0);
    const [start = '', size = '', ...name] = (planted.at(-1) ?? '').split(' ');
    const last = BigInt(`0x${start}`) + BigInt(`0x${size}`) - 1n;
    expect(table.find(last)?.systemName).toBe(name.join(' '));
  } finally {
    child.kill();
  }
});

test('the jitdump that Node.js writes names its functions', async () => {
  const script = files.write(
    'busy2.js',
    'function plantedHot(n) { return n < 2 ? n : plantedHot(n - 1) + plantedHot(n - 2); }\nfor (let i = 0; i < 3; i++) plantedHot(27);\nprocess.stdout.write("done\\n"); setInterval(() => {}, 1000);',
  );
  const child = spawn(process.execPath, ['--perf-prof', `--perf-prof-path=${files.path('.')}`, script], {
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd: files.path('.'),
  });
  try {
    await new Promise((resolve) => child.stdout.once('data', resolve));
    const path = files.path(`jit-${child.pid}.dump`);
    expect(existsSync(path)).toBe(true);
    const fd = openSync(path, 'r');
    const table = new JitCodeTable();
    expect(new JitDumpReader(table).read(new FileSource(fd)).ok).toBe(true);
    closeSync(fd);
    expect(table.byteLength).toBeGreaterThan(10_000);
  } finally {
    child.kill();
  }
});
