import { expect, test } from 'vitest';

import type { PythonLayout } from './python-layout.ts';
import { PythonThreads } from './python-threads.ts';
import { knownLayout } from './testing/known-layout.ts';
import { PlantedMemory } from './testing/planted-memory.ts';

const threadPointer = 0x7f12_3456_7700;
const runtime = 0x5000;
const versions = [8, 9, 10, 11, 12];

/** A process with one interpreter and one Thread object in `threading._active`. */
class PlantedThreads {
  readonly memory = new PlantedMemory();
  readonly layout: PythonLayout;
  readonly #runtime: number;
  readonly interpreter: number;
  readonly active: number;

  constructor(layout: PythonLayout, name: string, isPlainDict: boolean) {
    const { memory } = this;
    this.layout = layout;
    this.#runtime = memory.allocate(256);
    this.interpreter = memory.allocate(8192);
    memory.setWord(this.#runtime + layout.frames.interpreters, this.interpreter);
    this.active = this.#dict([[this.#int(threadPointer), this.#thread(name, isPlainDict)]], 24);
    const names = this.#dict([[this.#text('_active'), this.active]], this.#textEntryBytes);
    const module = this.#object('module', 64);
    memory.setWord(module + 16, names);
    const modules: [number, number][] = ['sys', 'builtins', 'threading'].map((each) => [this.#text(each), module]);
    memory.setWord(this.interpreter + layout.objects.modules, this.#dict(modules, this.#textEntryBytes));
  }

  threads(): PythonThreads {
    return new PythonThreads(this.layout, this.#runtime - runtime, this.memory);
  }

  get #textEntryBytes(): 16 | 24 {
    return this.layout.objects.keys === 'sized' ? 24 : 16;
  }

  #text(text: string): number {
    return this.memory.text(this.layout.text, text);
  }

  #object(type: string, bytes: number): number {
    const object = this.memory.allocate(bytes);
    this.memory.setWord(object + 8, this.memory.type(type));
    return object;
  }

  #int(value: number): number {
    const object = this.#object('int', 32);
    this.memory.setWord(object + 16, this.layout.objects.hasIntTag ? 2 << 3 : 2);
    this.memory.setWord(object + 24, (value % 2 ** 30) + Math.floor(value / 2 ** 30) * 2 ** 32);
    return object;
  }

  #keys(entries: readonly (readonly [number, number])[], entryBytes: 16 | 24): number {
    const { memory } = this;
    const isSized = this.layout.objects.keys === 'sized';
    const keys = memory.allocate(48 + entries.length * entryBytes);
    if (isSized) memory.setWord(keys + 8, 8);
    else for (const [i, byte] of [3, 3, entryBytes === 24 ? 0 : 1].entries()) memory.setByte(keys + 8 + i, byte);
    memory.setWord(keys + (isSized ? 32 : 24), entries.length);
    for (const [i, [key, value]] of entries.entries()) {
      const at = keys + (isSized ? 48 : 40) + (i + 1) * entryBytes - 16;
      memory.setWord(at, key);
      memory.setWord(at + 8, value);
    }
    return keys;
  }

  #dict(entries: readonly (readonly [number, number])[], entryBytes: 16 | 24): number {
    const dict = this.#object('dict', 48);
    this.memory.setWord(dict + 32, this.#keys(entries, entryBytes));
    return dict;
  }

  #thread(name: string, isPlainDict: boolean): number {
    const { memory } = this;
    const { attributes, cachedKeys } = this.layout.objects;
    const type = memory.allocate(1024);
    const object = memory.allocate(64) + 32;
    memory.setWord(object + 8, type);
    const value = this.#text(name);
    const [target, key] = [this.#text('_target'), this.#text('_name')];
    if (attributes === 'dict') memory.setWord(type + 288, 16);
    else memory.setWord(type + 168, 1 << 4);
    const dictAt = attributes === 'dict' ? object + 16 : object - 24;
    if (isPlainDict) {
      const its = [[target, object] as const, [key, value] as const];
      memory.setWord(dictAt, this.#dict(its, this.#textEntryBytes));
      return object;
    }
    const names = this.#keys([[target, 0] as const, [key, 0] as const], this.#textEntryBytes);
    memory.setWord(type + cachedKeys, names);
    const values = memory.allocate(16);
    memory.setWord(values, object);
    memory.setWord(values + 8, value);
    if (attributes === 'values') memory.setWord(object - 32, values);
    else if (attributes === 'tagged') memory.setWord(object - 24, values - 1);
    else {
      const dict = this.#object('dict', 48);
      memory.setWord(dict + 32, names);
      memory.setWord(dict + 40, values);
      memory.setWord(dictAt, dict);
    }
    return object;
  }
}

test.each(versions.flatMap((minor) => [false, true].map((isPlainDict) => [minor, isPlainDict] as const)))(
  'the name of a thread of 3.%i, whose attributes are a dict of its own: %s',
  (minor, isPlainDict) => {
    const threads = new PlantedThreads(knownLayout(minor, runtime), 'größe', isPlainDict).threads();
    expect(threads.nameOf(threadPointer)).toEqual({ name: 'größe' });
    expect(threads.nameOf(threadPointer + 4096)).toBe('none');
    expect(threads.nameOf(threadPointer)).toEqual({ name: 'größe' });
  },
);

test('a program that has not imported threading has no names; one whose memory cannot be read is told', () => {
  const planted = new PlantedThreads(knownLayout(11, runtime), 'one', false);
  planted.memory.setWord(planted.interpreter + planted.layout.objects.modules, 0);
  expect(planted.threads().nameOf(threadPointer)).toBe('none');
  planted.memory.setWord(planted.interpreter + planted.layout.objects.modules, 0x10_0000);
  expect(planted.threads().nameOf(threadPointer)).toBe('unread');
});

test('another dict at the same address is no dict of threads', () => {
  const planted = new PlantedThreads(knownLayout(12, runtime), 'one', false);
  const threads = planted.threads();
  expect(threads.nameOf(threadPointer)).toEqual({ name: 'one' });
  planted.memory.setWord(planted.active + 8, planted.memory.type('str'));
  expect(threads.nameOf(threadPointer)).toBe('none');
});

test('whatever a process has in its memory, what is read of it is bounded and nothing is thrown', () => {
  let seed = 7;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
  const outcomes = new Set<string>();
  for (let round = 0; round < 1500; round++) {
    const planted = new PlantedThreads(knownLayout(8 + (round % 5), runtime), 'one', round % 2 === 0);
    const { memory } = planted;
    const threads = planted.threads();
    const end = memory.allocate(8);
    const start = planted.interpreter;
    for (let i = random(40); i > 0; i--) {
      const at = start + random(end - start);
      if (random(2) === 0) memory.setByte(at, [0, 1, 0x7f, 0x80, 0xff, random(256)][random(6)] ?? 0);
      else memory.setWord(at - (at % 8), start + 8 * random((end - start) / 8));
    }
    // A list of interpreters without an end.
    if (round % 3 === 0) memory.setWord(planted.interpreter + planted.layout.frames.interpreterNext, start);
    memory.asked = 0;
    const found = threads.nameOf(threadPointer);
    outcomes.add(typeof found === 'string' ? found : 'named');
    // Of 16 interpreters two tables of 4,096 entries and one of each module's, with the head of each key.
    expect(memory.asked).toBeLessThan(16 * 3 * 4096 * (24 + 64));
  }
  expect(outcomes).toEqual(new Set(['named', 'none', 'unread']));
});
