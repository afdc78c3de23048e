import { beforeEach, expect, test } from 'vitest';

import { base, DrawnMemory, smi } from './testing/drawn-memory.ts';
import { readV8Function, V8Scripts } from './v8-function.ts';
import { V8Heap } from './v8-heap.ts';
import type { V8Layout } from './v8-layout.ts';

/** Of V8 13.6, what functions are read by. */
const layout = {
  instanceType: 12,
  types: { sharedFunctionInfo: 0x90, scopeInfo: 0x91, script: 0x92 },
  shared: { script: 8, name: 16 },
  scopeInfo: { localCount: 8, firstLocal: 24, position: 16 },
  script: { name: 8, source: 16, lineOffset: 24 },
  string: {
    notStringMask: 0x80,
    representationMask: 7,
    cons: 1,
    external: 2,
    sliced: 3,
    thin: 5,
    encodingMask: 8,
    oneByte: 8,
    length: 12,
    chars: 16,
  },
} as unknown as V8Layout;
const oneByteString = 8;
const namePage = base + 8 * 4096;
const scriptNamePage = base + 9 * 4096;
const sourcePage = base + 10 * 4096;

let memory: DrawnMemory;
let heap: V8Heap;
let next: number;

function object(type: number, fields: readonly number[], at = next): number {
  if (at === next) next += 256;
  const map = at + 128;
  memory.put(map, map + 1);
  memory.view.setUint16(map - base + layout.instanceType, type, true);
  memory.put(at, map + 1);
  for (const [i, field] of fields.entries()) memory.put(at + 8 + 8 * i, field);
  return at + 1;
}

function text(characters: string, at = next): number {
  const word = object(oneByteString, [], at);
  memory.view.setInt32(word - 1 - base + layout.string.length, characters.length, true);
  for (let i = 0; i < characters.length; i++)
    memory.view.setUint8(word - 1 - base + layout.string.chars + i, characters.charCodeAt(i));
  return word;
}

function drawFunction(name: string): number {
  const script = object(layout.types.script, [
    text('file:///srv/a.js', scriptNamePage),
    text('\n\nfunction', sourcePage),
    smi(0),
  ]);
  // No locals; where it begins; the name, an index, no inferred name.
  const scope = object(layout.types.scopeInfo, [smi(0), smi(2), text(name, namePage), smi(1), smi(2)]);
  return object(layout.types.sharedFunctionInfo, [script, scope]);
}

beforeEach(() => {
  memory = new DrawnMemory();
  heap = new V8Heap(layout, memory);
  next = base + 4096;
});

const read = (word: number) => readV8Function(heap, new V8Scripts(heap), word);

test('a function has its name, and an anonymous one says where it is', () => {
  expect(read(drawFunction('emit'))).toMatchObject({ name: 'emit', line: 3, isWhole: true });
  expect(read(drawFunction(''))).toMatchObject({ name: '(anonymous) a.js:3', line: 3, isWhole: true });
});

test('a function whose name cannot be read now is not taken for an anonymous one for good', () => {
  const word = drawFunction('emit');
  memory.hidden.add(namePage);
  expect(read(word)?.isWhole).toBe(false);
  memory.hidden.clear();
  expect(read(word)).toMatchObject({ name: 'emit', isWhole: true });
});

test('a script whose name cannot be read now is not one without a name', () => {
  const word = drawFunction('emit');
  const scripts = new V8Scripts(heap);
  memory.hidden.add(scriptNamePage);
  expect(readV8Function(heap, scripts, word)).toBeUndefined();
  memory.hidden.clear();
  expect(readV8Function(heap, scripts, word)?.script.name).toBe('file:///srv/a.js');
});

test('a script whose source was not read for want of time has lines later', () => {
  const word = drawFunction('emit');
  const scripts = new V8Scripts(heap);
  memory.hidden.add(sourcePage);
  memory.isExhausted = true;
  expect(readV8Function(heap, scripts, word)).toMatchObject({ line: 0, isWhole: false });
  memory.hidden.clear();
  memory.isExhausted = false;
  expect(readV8Function(heap, scripts, word)).toMatchObject({ line: 3, isWhole: true });
});
