import { expect, test } from 'vitest';
import { fileOffsetOfVirtualAddress, virtualAddressOfFileOffset } from './elf-addresses.ts';
import type { ElfSegment } from './elf-file.ts';

const load = (
  flags: number,
  fileOffset: number,
  virtualAddress: bigint,
  fileSize: number,
  memorySize = fileSize,
): ElfSegment => ({
  type: 1,
  flags,
  fileOffset,
  virtualAddress,
  fileSize,
  memorySize,
  align: 4096,
});

/** As lld lays out: read-only data and code share a page of the file, and the code's address is a page further. */
const elf = {
  segments: [
    load(4, 0, 0x20_0000n, 0x1234),
    load(5, 0x1234, 0x20_2234n, 0x2000),
    load(6, 0x3234, 0x20_5234n, 0x100, 0x900),
  ],
};

test('a file offset in code becomes the address of the segment that holds it', () => {
  expect(virtualAddressOfFileOffset(elf, 0x1234n)).toBe(0x20_2234n);
  expect(virtualAddressOfFileOffset(elf, 0x3233n)).toBe(0x20_4233n);
});

test('an offset in a shared page belongs to the code, since its mapping is executable', () => {
  expect(virtualAddressOfFileOffset(elf, 0x1200n)).toBe(0x20_2200n);
});

test('outside of code data is found, and beyond the file nothing', () => {
  expect(virtualAddressOfFileOffset(elf, 0x10n)).toBe(0x20_0010n);
  expect(virtualAddressOfFileOffset(elf, 0x10_0000n)).toBeUndefined();
  expect(virtualAddressOfFileOffset(elf, 1n << 60n)).toBeUndefined();
});

test('an address has a file offset where the file has a byte for it', () => {
  expect(fileOffsetOfVirtualAddress(elf, 0x20_2300n)).toBe(0x1300n);
  expect(fileOffsetOfVirtualAddress(elf, 0x20_5240n)).toBe(0x3240n);
  expect(fileOffsetOfVirtualAddress(elf, 0x20_5400n)).toBeUndefined();
});
