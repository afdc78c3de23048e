import type { PythonSymbols } from '@everflame/binary';
import { expect, test } from 'vitest';

import { makePythonLayout, type PythonLayout } from './python-layout.ts';
import { PythonProcess } from './python-process.ts';
import { PlantedMemory } from './testing/planted-memory.ts';

function symbolsOf(minor: number): PythonSymbols {
  return {
    version: [3, minor],
    runtime: 0x5000n,
    loop: { start: 0x1000n, end: 0x2000n },
    glue: [],
    runtimeHead: undefined,
  };
}

function layoutOf(minor: number): PythonLayout {
  const layout = makePythonLayout(symbolsOf(minor));
  if (typeof layout === 'string') throw new Error(layout);
  return layout;
}

interface PlantedCode {
  readonly file: string;
  readonly name: string;
  readonly qualifiedName: string;
  readonly firstLine: number;
  readonly lines: Uint8Array;
}

function plant(
  memory: PlantedMemory,
  { code, text }: PythonLayout,
  its: PlantedCode,
  at = memory.allocate(256),
): number {
  memory.setWord(at + 8, memory.type('code'));
  memory.setWord(at + code.firstLine, its.firstLine);
  memory.setWord(at + code.file, memory.text(text, its.file));
  memory.setWord(at + code.name, memory.text(text, its.name));
  if (code.qualifiedName !== undefined) memory.setWord(at + code.qualifiedName, memory.text(text, its.qualifiedName));
  memory.setWord(at + code.lines, memory.data(its.lines));
  return at;
}

const shop = { file: '/srv/shop.py', name: 'render', qualifiedName: 'Shop.render', firstLine: 10 };

test.each([
  [8, 'render', Uint8Array.of(4, 2, 4, 3)],
  [10, 'render', Uint8Array.of(4, 0, 4, 2, 4, 3)],
  [11, 'Shop.render', Uint8Array.of(0x81, 0, 0xe1 + 8, 4, 0x80)],
  [12, 'Shop.render', Uint8Array.of(0x81, 0, 0xe1 + 8, 4, 0x80)],
])('a function of 3.%i is read with its name, file and line', (minor, name, lines) => {
  const layout = layoutOf(minor);
  const memory = new PlantedMemory();
  const object = plant(memory, layout, { ...shop, lines });
  const frame = new PythonProcess(layout, memory).frame({ object, place: 2 });
  expect({ ...frame, function: { name: frame?.function.name, file: frame?.function.file } }).toEqual({
    function: { name, file: '/srv/shop.py' },
    line: 12,
  });
});

test('a qualified name that cannot be read just now is not taken for the short one', () => {
  class PartlyRead extends PlantedMemory {
    withheld = -1;
    override bytes(address: number, length: number): Buffer | undefined {
      return address === this.withheld ? undefined : super.bytes(address, length);
    }
  }
  const layout = layoutOf(12);
  const memory = new PartlyRead();
  const process = new PythonProcess(layout, memory);
  const object = plant(memory, layout, { ...shop, lines: Uint8Array.of(0x87, 0) });
  memory.withheld = memory.word(object + (layout.code.qualifiedName ?? 0)) ?? -1;
  expect(process.frame({ object, place: 0 })).toBeUndefined();
  memory.withheld = -1;
  expect(process.frame({ object, place: 0 })?.function.name).toBe('Shop.render');
});

test('another function at the same address is noticed, and none is none', () => {
  const layout = layoutOf(11);
  const memory = new PlantedMemory();
  const process = new PythonProcess(layout, memory);
  const object = plant(memory, layout, { ...shop, lines: Uint8Array.of(0x87, 0) });
  const names = [process.frame({ object, place: 0 })?.function.name];
  plant(memory, layout, { ...shop, qualifiedName: 'Shop.close', lines: Uint8Array.of(0x87, 0) }, object);
  names.push(process.frame({ object, place: 0 })?.function.name);
  memory.setWord(object + 8, memory.type('str'));
  names.push(process.frame({ object, place: 0 })?.function.name);
  expect(names).toEqual(['Shop.render', 'Shop.close', undefined]);
});

test('whatever a process has in its memory, what is read of it is bounded and nothing is thrown', () => {
  let seed = 3;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
  let named = 0;
  for (let round = 0; round < 2000; round++) {
    const layout = layoutOf(8 + (round % 5));
    const memory = new PlantedMemory();
    const lines = Uint8Array.from({ length: random(64) }, () => random(256));
    const object = plant(memory, layout, { ...shop, lines });
    const end = memory.allocate(8);
    for (let i = random(12); i > 0; i--) {
      const at = object + random(end - object);
      if (random(2) === 0) memory.setByte(at, [0, 1, 0x7f, 0x80, 0xff, random(256)][random(6)] ?? 0);
      else memory.setWord(at - (at % 8), object + 8 * random(64));
    }
    const frame = new PythonProcess(layout, memory).frame({ object, place: random(300) });
    if (frame !== undefined) named++;
    // Head, four texts of 4,096 wide characters, a table of 4 MB, and types.
    expect(memory.asked).toBeLessThan(152 + 4 * 4 * 4096 + 4 * 2 ** 20 + 4096);
  }
  // Most changes hit what does not matter, some what does.
  expect(named).toBeGreaterThan(200);
  expect(named).toBeLessThan(1990);
});
