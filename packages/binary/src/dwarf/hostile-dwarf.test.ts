import { describe, expect, test } from 'vitest';
import { BufferSource } from '../byte-source.ts';
import type { DwarfFile, DwarfLines } from './dwarf-file.ts';
import { openDwarf } from './open-dwarf.ts';

/** Less than a second of an idle machine; what is tested for would take hours. */
const mostMilliseconds = 20_000;

function fileOf(sections: Readonly<Record<string, readonly number[] | Uint8Array>>): DwarfFile {
  return {
    is64Bit: true,
    littleEndian: true,
    codeRanges: [],
    byteLength: 0,
    section: (name) => {
      const bytes = sections[name];
      return bytes === undefined ? undefined : new BufferSource(Uint8Array.from(bytes));
    },
  };
}

function u32(value: number): number[] {
  return [value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, value >>> 24];
}

/** DWARF 4 in the 32-bit format; `entries` come after the head. */
function unit(entries: readonly number[], abbreviations = 0): number[] {
  return [...u32(7 + entries.length), 4, 0, ...u32(abbreviations), 8, ...entries];
}

function repeated(bytes: readonly number[], times: number): Uint8Array {
  const all = new Uint8Array(bytes.length * times);
  for (let i = 0; i < times; i++) all.set(bytes, i * bytes.length);
  return all;
}

/** A compile unit with `DW_AT_stmt_list`, one with `DW_AT_ranges`, both `DW_FORM_sec_offset`. */
const abbreviations = [1, 0x11, 0, 0x10, 0x17, 0, 0, 2, 0x11, 0, 0x55, 0x17, 0, 0, 0];

/** Opens and looks addresses up within the time. */
function open(sections: Readonly<Record<string, readonly number[] | Uint8Array>>): DwarfLines | undefined {
  const startedAt = performance.now();
  const opened = openDwarf(fileOf(sections), { budgetBytes: 1024 * 1024 });
  const lines = opened.ok ? opened.value : undefined;
  for (let address = 0n; address < 1000n; address++) lines?.find(address);
  expect(performance.now() - startedAt).toBeLessThan(mostMilliseconds);
  return lines;
}

describe('files made to cost more than their size', () => {
  test('20,000 units name the same list of 50,000 ranges', () => {
    const range = [...u32(0x1000), ...u32(0), ...u32(0x1001), ...u32(0)];
    const lines = open({
      '.debug_info': repeated(unit([2, ...u32(0)]), 20_000),
      '.debug_abbrev': abbreviations,
      '.debug_ranges': repeated(range, 50_000),
    });
    expect(lines?.damagedUnits).toBeGreaterThan(19_000);
    expect(lines?.byteLength).toBeLessThan(64 * 1024 * 1024);
  });

  test('20,000 units without ranges share a line table of 4 MB', () => {
    // Special opcodes that never end a sequence.
    const program = repeated([0x20], 4_000_000);
    const head = [1, 1, 1, 0xfb, 14, 13, 0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1, 0, 0];
    const table = [...u32(2 + 4 + head.length + program.length), 4, 0, ...u32(head.length), ...head];
    const lines = open({
      '.debug_info': repeated(unit([1, ...u32(0)]), 20_000),
      '.debug_abbrev': abbreviations,
      '.debug_line': Uint8Array.from([...table, ...program]),
    });
    expect(lines?.damagedUnits).toBeGreaterThan(0);
  });

  test('20,000 units each read another part of one table of abbreviations', () => {
    // The code that they name comes at the very end of 1 MB.
    const filler = repeated([3, 0x11, 0, 0, 0], 200_000);
    const table = new Uint8Array(filler.length + abbreviations.length);
    table.set(filler);
    table.set(abbreviations, filler.length);
    const units = Array.from({ length: 20_000 }, (_, i) => unit([2, ...u32(0)], 5 * i)).flat();
    const lines = open({ '.debug_info': units, '.debug_abbrev': table, '.debug_ranges': repeated([0], 16) });
    expect(lines?.damagedUnits).toBeGreaterThan(10_000);
  });

  test('functions that refer to each other in a circle have no name, and find ends', () => {
    // A unit of two functions, each the abstract origin of the other, the first with code.
    const withCode = [0x11, 0x01, 0x12, 0x0b, 0, 0];
    const circle = [1, 0x11, 1, ...withCode, 2, 0x2e, 0, 0x31, 0x13, ...withCode, 3, 0x2e, 0, 0x31, 0x13, 0, 0, 0];
    const code = [...u32(0x1000), ...u32(0), 16];
    const first = 11 + 1 + code.length;
    const second = first + 5 + code.length;
    const entries = [1, ...code, 2, ...u32(second), ...code, 3, ...u32(first), 0];
    const lines = open({ '.debug_info': unit(entries), '.debug_abbrev': circle });
    expect(lines?.find(0x1008n)).toEqual([{ function: '', file: '', line: 0, startLine: 0, isInlined: false }]);
    expect(lines?.damagedUnits).toBe(0);
  });

  test('64 MB of zeros are no units', () => {
    const lines = open({ '.debug_info': new Uint8Array(64 * 1024 * 1024), '.debug_abbrev': abbreviations });
    expect(lines?.find(1n)).toBeUndefined();
  });
});
