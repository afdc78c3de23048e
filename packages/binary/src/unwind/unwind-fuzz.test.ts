import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { BufferSource } from '../byte-source.ts';
import { readElfFile, sectionTypes } from '../elf/elf-file.ts';
import { readUnwindTable } from './read-unwind-table.ts';
import { x86_64 } from './unwind-architecture.ts';
import { StackMemory } from './unwind-memory.ts';
import { unwindStack } from './unwind-stack.ts';
import { UnwindState } from './unwind-state.ts';
import { checkUnwindTable, deserializeUnwindTable, serializeUnwindTable } from './unwind-table-file.ts';
import type { UnwindTable } from './unwind-table.ts';

// glibc's dynamic linker: PLT, signal trampoline, expressions, rbx rows, all in 200 KB, on every x86-64 machine of ours.
const original = readFileSync('/lib64/ld-linux-x86-64.so.2');

/** The same numbers in every run (xorshift32). */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

function tableOf(bytes: Uint8Array): UnwindTable | undefined {
  const elf = readElfFile(new BufferSource(bytes));
  if (!elf.ok) return undefined;
  const table = readUnwindTable(elf.value);
  return table.ok ? table.value : undefined;
}

const complaintOf = (table: UnwindTable | undefined): string | undefined =>
  table === undefined ? undefined : checkUnwindTable(table);

function region(): { start: number; end: number } {
  const elf = readElfFile(new BufferSource(original));
  const found = elf.ok ? elf.value.sections.find(({ name }) => name === '.eh_frame') : undefined;
  if (found === undefined || found.type === sectionTypes.nobits) throw new Error('ld.so has no .eh_frame');
  return { start: found.fileOffset, end: found.fileOffset + found.size };
}

test('whatever is written over .eh_frame, the table is valid and in proportion', () => {
  const random = randomNumbers(7);
  const { start, end } = region();
  let changed = 0;
  const expected = tableOf(original)?.rowCount;
  for (let round = 0; round < 1500; round++) {
    const bytes = Uint8Array.from(original);
    for (let i = random(40) + 1; i > 0; i--) {
      const at = start + random(end - start);
      const interesting = [0, 1, 0x7f, 0x80, 0xff, random(256)];
      bytes[at] = interesting[random(interesting.length)] ?? 0;
    }
    const table = tableOf(bytes);
    expect(complaintOf(table)).toBeUndefined();
    const size = table === undefined ? 0 : table.words.byteLength - table.pageCount * 16;
    expect(size).toBeLessThan((end - start) * 8 + 4096);
    if (table?.rowCount !== expected) changed++;
  }
  expect(changed).toBeGreaterThan(500);
});

test('whatever is written over the headers, the answer is a table or a typed error', () => {
  const random = randomNumbers(11);
  const headers = [
    [0, 64 + 12 * 56],
    [original.length - 40 * 64, original.length],
  ] as const;
  for (let round = 0; round < 2000; round++) {
    const bytes = Uint8Array.from(original);
    for (let i = random(6) + 1; i > 0; i--) {
      const [from, to] = headers[random(2)] ?? [0, 64];
      bytes[from + random(to - from)] = random(256);
    }
    const table = tableOf(bytes);
    expect(complaintOf(table)).toBeUndefined();
  }
});

test('a file cut anywhere gives a table or a typed error', () => {
  for (let length = 0; length < original.length; length += 257) {
    const table = tableOf(original.subarray(0, length));
    expect(complaintOf(table)).toBeUndefined();
  }
});

test('a stack of random words ends, for every instruction of a library', () => {
  const random = randomNumbers(13);
  const table = tableOf(original);
  if (table === undefined) throw new Error('no table');
  const stack = new Uint8Array(8192);
  const view = new DataView(stack.buffer);
  const base = 0x7ffc_0000_0000;
  const text = 0x7f00_0000_0000;
  const mappings = [{ start: text, end: text + 0x40000, bias: text, unwind: { by: 'table', table } as const }];
  const ends = new Set<string>();
  for (let round = 0; round < 20_000; round++) {
    const state = new UnwindState(x86_64);
    for (let i = 0; i < 64; i++) {
      const isCode = random(2) === 0;
      view.setBigUint64(random(1024) * 8, BigInt(isCode ? text + random(0x40000) : base + random(8192)), true);
    }
    for (let i = 0; i < 16; i++) state.registers[i] = base + random(1024) * 8;
    state.pc = text + random(0x40000);
    const { addresses, end, guessedFrom } = unwindStack(state, new StackMemory(stack, base), mappings, 128);
    ends.add(end);
    expect(addresses.length).toBeLessThanOrEqual(128);
    expect(guessedFrom).toBeLessThanOrEqual(addresses.length);
  }
  for (const end of ['gap', 'bad_read', 'no_mapping', 'stack_order', 'zero_return']) {
    expect(ends).toContain(end);
  }
});

test('a table survives its file, and a file with any byte changed is refused', () => {
  const table = tableOf(original);
  if (table === undefined) throw new Error('no table');
  const bytes = serializeUnwindTable(table);
  const read = deserializeUnwindTable(bytes);
  expect(read).toEqual({ ok: true, value: table });
  const random = randomNumbers(17);
  for (let round = 0; round < 300; round++) {
    const damaged = Uint8Array.from(bytes);
    const at = round < 60 ? round % 56 : random(bytes.length);
    damaged[at] = (damaged[at] ?? 0) ^ (1 + random(255));
    expect(deserializeUnwindTable(damaged).ok).toBe(false);
  }
  for (let length = 0; length < bytes.length; length += 61) {
    expect(deserializeUnwindTable(bytes.subarray(0, length)).ok).toBe(false);
  }
});
