import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { pythonLine, type PythonLineFormat } from './python-lines.ts';

test('lnotab: lines begin where the sum of the bytes says, and go back', () => {
  const table = Uint8Array.of(0, 1, 6, 1, 8, 254, 255, 0, 10, 20);
  const lineAt = (offset: number): number => pythonLine('lnotab', table, 10, offset);
  expect([0, 5, 6, 13, 14, 268, 278, 279, 5000].map(lineAt)).toEqual([11, 11, 12, 12, 10, 10, 10, 30, 30]);
});

test('ranges: a pair covers its own instructions; those without a line belong to the line before', () => {
  const table = Uint8Array.of(4, 1, 6, 128, 2, 255, 8, 3);
  const lineAt = (offset: number): number => pythonLine('ranges', table, 10, offset);
  expect([0, 3, 4, 9, 10, 12, 19, 20].map(lineAt)).toEqual([11, 11, 11, 11, 10, 13, 13, 0]);
});

test('locations: each kind of entry moves the line as PEP 657 says', () => {
  const entry = (kind: number, units: number, ...rest: readonly number[]): number[] => [
    0x80 | (kind << 3) | (units - 1),
    ...rest,
  ];
  const table = Uint8Array.from([
    ...entry(13, 1, 4), // 2 lines on
    ...entry(0, 2, 0x12), // the same line
    ...entry(11, 1, 3, 9), // the next one
    ...entry(15, 8), // none
    ...entry(14, 1, 0x47, 1, 2, 3, 4), // (7 + 64) = -35 lines
    ...entry(12, 1, 0, 0), // 2 lines on
  ]);
  const lineAt = (offset: number): number => pythonLine('locations', table, 100, offset);
  expect([0, 2, 5, 6, 8, 23, 24, 26, 27, 28].map(lineAt)).toEqual([102, 102, 102, 103, 103, 103, 68, 70, 70, 0]);
});

/** The judge: each Python's own dis, for the modules of its library. */
const judge = `
import dis, json, sys, types
out = []
def walk(code):
    lines = list(dis.findlinestarts(code))
    table = code.co_lnotab if sys.version_info < (3, 10) else code.co_linetable
    if sys.version_info >= (3, 10):
        spans = [(a, b, l) for a, b, l in code.co_lines() if l]
    else:
        size = len(code.co_code)
        ends = [a for a, _ in lines[1:]] + [size]
        spans = [(a, b, l) for (a, l), b in zip(lines, ends)]
    out.append([code.co_firstlineno, list(table), spans])
    for each in code.co_consts:
        if isinstance(each, types.CodeType): walk(each)
for name in ('argparse', 'json.decoder', 'asyncio.base_events', 'typing'):
    import importlib.util
    with open(importlib.util.find_spec(name).origin) as f: walk(compile(f.read(), name, 'exec'))
print(json.dumps([list(sys.version_info[:2]), out]))
`;

function pythons(): string[] {
  const versions = join(homedir(), '.pyenv/versions');
  const own = existsSync(versions) ? readdirSync(versions) : [];
  const found = own
    .filter((name) => /^3\.(?:[89]|1\d)\./u.test(name))
    .map((name) => join(versions, name, 'bin/python3'));
  return ['/usr/bin/python3', ...found].filter((path) => existsSync(path));
}

test('lines are those that each Python on this machine tells itself', { timeout: 60_000 }, () => {
  let compared = 0;
  for (const python of pythons()) {
    const { stdout, status, stderr } = spawnSync(python, ['-c', judge], { encoding: 'utf8', maxBuffer: 1 << 28 });
    if (status !== 0) throw new Error(`${python}: ${stderr}`);
    const [[, minor], codes] = JSON.parse(stdout) as [
      [number, number],
      [number, number[], [number, number, number][]][],
    ];
    const format: PythonLineFormat = minor < 10 ? 'lnotab' : minor === 10 ? 'ranges' : 'locations';
    const wrong: unknown[] = [];
    for (const [firstLine, bytes, spans] of codes) {
      const table = Uint8Array.from(bytes);
      for (const [start, end, line] of spans) {
        // A span is of one line: both ends and its middle.
        for (const offset of new Set([start, start + 2 * Math.floor((end - start) / 4), end - 2])) {
          compared++;
          const found = pythonLine(format, table, firstLine, offset);
          if (found !== line) wrong.push({ python, firstLine, offset, line, found });
        }
      }
    }
    expect(wrong.slice(0, 5)).toEqual([]);
  }
  expect(compared).toBeGreaterThan(10_000);
});

test('whatever a table holds, the answer is a line and comes soon', () => {
  let seed = 7;
  const random = (): number => (seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0) / 2 ** 32;
  for (let round = 0; round < 3000; round++) {
    const table = Uint8Array.from({ length: Math.floor(random() * 300) }, () => Math.floor(random() * 256));
    const format = (['lnotab', 'ranges', 'locations'] as const)[round % 3] ?? 'locations';
    const line = pythonLine(format, table, Math.floor(random() * 2 ** 32) - 2 ** 31, Math.floor(random() * 600));
    expect(Number.isInteger(line) && line >= 0 && line < 2 ** 31).toBe(true);
  }
});
