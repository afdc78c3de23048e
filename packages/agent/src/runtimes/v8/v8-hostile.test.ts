import { openSync } from 'node:fs';

import { FileSource, readElfFile, readV8Symbols, type V8Symbols } from '@everflame/binary';
import { beforeAll, expect, test } from 'vitest';

import { ProcessMemory, ReadBudget } from '../process-memory.ts';
import type { HeapMemory } from './v8-heap.ts';
import { makeV8Layout, type V8Layout } from './v8-layout.ts';
import { V8Process } from './v8-process.ts';

let symbols: V8Symbols;
let layout: V8Layout;
beforeAll(() => {
  const elf = readElfFile(new FileSource(openSync(process.execPath, 'r')));
  if (!elf.ok) throw new Error(elf.error.detail);
  const read = readV8Symbols(elf.value);
  if (!read.ok || read.value === undefined) throw new Error('no symbols of V8 in this Node.js');
  symbols = read.value;
  const made = makeV8Layout(symbols);
  if (typeof made === 'string') throw new Error(made);
  layout = made;
});

test("this Node.js's own symbols make a layout", () => {
  expect(symbols.version[0]).toBe(Number(process.versions.v8.split('.')[0]));
  expect(symbols.constants.size).toBeGreaterThan(400);
  expect((symbols.bytecodeSizes?.length ?? 0) % 3).toBe(0);
  expect({ functionShared: layout.functionShared, name: layout.shared.name }).toEqual({ functionShared: 32, name: 24 });
});

test('a V8 that is not known, is stripped or contradicts itself is refused in words', () => {
  const without = new Map([...symbols.constants].filter(([name]) => !name.startsWith('class_Script__source')));
  const absurd = new Map(symbols.constants).set('off_fp_function', -24);
  const far = new Map(symbols.constants).set('class_Script__source__Object', 4096);
  expect([
    makeV8Layout({ ...symbols, version: [99, 0] }),
    makeV8Layout({ ...symbols, version: [9, 4] }),
    makeV8Layout({ ...symbols, builtins: undefined }),
    makeV8Layout({ ...symbols, constants: without }),
    makeV8Layout({ ...symbols, constants: absurd }),
    makeV8Layout({ ...symbols, constants: far }),
  ]).toEqual([
    'V8 99.0 is not known',
    'V8 9.4 is not known',
    'the symbols of its builtins are stripped',
    'its symbols lack or contradict Script.source',
    'its symbols lack or contradict off_fp_function = -24',
    'its symbols lack or contradict Script.source = 4096',
  ]);
});

/** Memory of a process that lies: every word is drawn anew, mostly something that could be an object, a small integer or a kind. */
class LyingMemory implements HeapMemory {
  low = 0;
  high = 0;
  reads = 0;
  readonly generation = 0;
  readonly isGone = false;
  readonly #random: () => number;
  readonly #types: readonly number[];

  constructor(random: () => number, types: readonly number[]) {
    this.#random = random;
    this.#types = types;
  }

  get isExhausted(): boolean {
    return this.reads > 20_000;
  }

  load(): boolean {
    this.reads++;
    const kind = this.#random();
    if (kind < 0.05 || this.isExhausted) return false;
    this.low = kind < 0.6 ? Math.floor(this.#random() * 2 ** 29) * 8 + 1 : 0;
    this.high = Math.floor(this.#random() * (kind < 0.6 ? 2 ** 15 : 2 ** (32 * this.#random())));
    return true;
  }

  word(): number | undefined {
    return this.load() ? this.high * 2 ** 32 + this.low : undefined;
  }

  uint16(): number | undefined {
    return this.bytes(0, 2)?.readUInt16LE(0);
  }

  int32(): number | undefined {
    return this.bytes(0, 4)?.readInt32LE(0);
  }

  holds(): boolean {
    return this.#random() < 0.9;
  }

  bytes(_address: number, length: number): Buffer | undefined {
    this.reads += Math.ceil(length / 4096);
    if (length > 64 * 1024 * 1024 || this.#random() < 0.05 || this.isExhausted) return undefined;
    const bytes = Buffer.alloc(length);
    if (length === 2) bytes.writeUInt16LE(this.#types[Math.floor(this.#random() * this.#types.length)] ?? 0);
    else for (let at = 0; at < Math.min(length, 4096); at++) bytes[at] = Math.floor(this.#random() * 256);
    return bytes;
  }
}

test('a process that lies costs bounded reads and brings nothing down', () => {
  let seed = 1;
  const random = (): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return seed / 2 ** 32;
  };
  // Strings of each representation, and what is looked for.
  const types = [0, 1, 2, 3, 5, 8, 9, 10, 11, 13, ...Object.values(layout.types).filter((type) => type >= 0)];
  for (let round = 0; round < 40; round++) {
    const memory = new LyingMemory(random, types);
    const process = new V8Process(layout, memory);
    for (let i = 0; i < 10; i++) {
      process.interpreted(0x1234_0001 + 8 * i, 100 + i);
      process.compiled(0x7f00_0000_1000 + 64 * i, i % 2 === 0 ? undefined : 0x1234_0001);
    }
    expect(memory.reads).toBeLessThan(21_000);
  }
});

test('what is read of all processes together has a bound until the next time', () => {
  const budget = new ReadBudget();
  const memory = ProcessMemory.open(process.pid, budget);
  if (memory === undefined) throw new Error('own memory is not readable');
  for (let page = 0; !memory.isExhausted; page++) memory.word(4096 * page);
  expect(budget.reads).toBeLessThan(10_000);
  budget.renew();
  memory.refresh();
  expect(memory.isExhausted).toBe(false);
  memory.close();
});

test('memory of this process is read, other addresses are not there', () => {
  const memory = ProcessMemory.open(process.pid, new ReadBudget());
  if (memory === undefined) throw new Error('own memory is not readable');
  expect(memory.word(8)).toBeUndefined();
  expect(memory.bytes(2 ** 47, 8)).toBeUndefined();
  expect(memory.bytes(-8, 8)).toBeUndefined();
  expect(memory.isGone).toBe(false);
  memory.close();
  expect(memory.word(8)).toBeUndefined();
  expect(memory.int32(8)).toBeUndefined();
  expect(memory.holds(8, Buffer.alloc(32))).toBe(false);
});
