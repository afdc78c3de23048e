import { expect, test } from 'vitest';

import { PlantedMemory } from './testing/planted-memory.ts';
import { readPythonText } from './python-text.ts';

const to311 = { length: 16, state: 32, ascii: 48, compact: 72 };
const from312 = { length: 16, state: 32, ascii: 40, compact: 56 };

test.each([
  ['3.8 to 3.11', to311],
  ['3.12 and 3.13', from312],
])('texts of each width, as %s have them', (_, layout) => {
  const texts = ['render_invoice', '', 'größe', 'имя', '関数', 'naïve😀', '𝒻'];
  const memory = new PlantedMemory();
  const read = texts.map((each) => readPythonText(memory, layout, memory.text(layout, each)));
  expect(read).toEqual(texts);
});

test('a text that is too long is cut, one that says more than memory has is none', () => {
  const memory = new PlantedMemory();
  const cut = readPythonText(memory, to311, memory.text(to311, 'x'.repeat(5000)));
  expect(cut).toBe(`${'x'.repeat(4096)}…`);
  const lying = memory.text(to311, 'short');
  memory.setWord(lying + to311.length, 1_000_000);
  expect(readPythonText(memory, to311, lying)).toBeUndefined();
  memory.setWord(lying + to311.length, 2 ** 40);
  expect(readPythonText(memory, to311, lying)).toBeUndefined();
});

test('lone surrogates and what is no character become something that can be written', () => {
  const memory = new PlantedMemory();
  const wide = memory.text(to311, '𝒻𝒻');
  memory.setWord(wide + to311.compact, 0xffff_ffff);
  const narrow = memory.text(to311, '関数');
  memory.setWord(narrow + to311.compact, 0xd800_0041);
  expect([readPythonText(memory, to311, wide), readPythonText(memory, to311, narrow)]).toEqual(['\uFFFD\0', 'A\uFFFD']);
});
