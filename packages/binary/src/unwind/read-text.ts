import { type ElfFile, segmentTypes } from '../elf/elf-file.ts';

/** What the file has at an ELF virtual address, at most `length` bytes; empty where it has nothing there. */
export function readText(elf: ElfFile, address: number, length: number): Uint8Array {
  for (const { type, virtualAddress, fileOffset, fileSize } of elf.segments) {
    const within = address - Number(virtualAddress);
    if (type === segmentTypes.load && within >= 0 && within < fileSize) {
      return elf.source.read(fileOffset + within, Math.min(length, fileSize - within)).slice();
    }
  }
  return new Uint8Array(0);
}
