import { type ElfFile, type ElfSegment, segmentFlags, segmentTypes } from './elf-file.ts';

/**
 * Four spaces of addresses: of the process, of the file (offset), of the ELF file (virtual address, what symbols say), and of
 * the mapping. Linkers may place a segment at a virtual address that differs from its file offset (lld, gold, Go, and every
 * non-PIE program do), so a file offset is never used as an address.
 */
type Segmented = Pick<ElfFile, 'segments'>;

/** The smallest page of the architectures that run Linux; the loader maps whole pages. */
const pageBytes = 4096;

/** Offset in the mapped file of a process's address. The caller has checked that the mapping holds the address. */
export function fileOffsetOfProcessAddress(
  mapping: { readonly start: bigint; readonly fileOffset: bigint },
  address: bigint,
): bigint {
  return address - mapping.start + mapping.fileOffset;
}

/**
 * The loadable segment that `fileOffset` of an executable mapping belongs to. Neighbouring segments may share a page of the file,
 * which is then mapped twice; so executable segments go first, first those that hold the byte itself, then those that hold its page.
 * Undefined for an offset that no segment maps.
 */
export function segmentOfFileOffset(elf: Segmented, fileOffset: bigint): ElfSegment | undefined {
  if (fileOffset < 0n || fileOffset > BigInt(Number.MAX_SAFE_INTEGER)) return undefined;
  const offset = Number(fileOffset);
  const loads = elf.segments.filter((segment) => segment.type === segmentTypes.load && segment.fileSize > 0);
  const executable = loads.filter((segment) => (segment.flags & segmentFlags.execute) !== 0);
  const holdsByte = ({ fileOffset: start, fileSize }: ElfSegment): boolean =>
    offset >= start && offset < start + fileSize;
  const holdsPage = ({ fileOffset: start, fileSize }: ElfSegment): boolean =>
    offset >= start - (start % pageBytes) && offset < Math.ceil((start + fileSize) / pageBytes) * pageBytes;
  return executable.find(holdsByte) ?? executable.find(holdsPage) ?? loads.find(holdsByte);
}

/** ELF virtual address of an offset in the file; undefined where no loadable segment holds it. */
export function virtualAddressOfFileOffset(elf: Segmented, fileOffset: bigint): bigint | undefined {
  const segment = segmentOfFileOffset(elf, fileOffset);
  return segment === undefined
    ? undefined
    : BigInt.asUintN(64, segment.virtualAddress + fileOffset - BigInt(segment.fileOffset));
}

/** Offset in the file of an ELF virtual address; undefined where the file holds no byte for it (`.bss`, gaps). */
export function fileOffsetOfVirtualAddress(elf: Segmented, address: bigint): bigint | undefined {
  for (const segment of elf.segments) {
    if (segment.type !== segmentTypes.load) continue;
    const within = address - segment.virtualAddress;
    if (within >= 0n && within < BigInt(segment.fileSize)) return BigInt(segment.fileOffset) + within;
  }
  return undefined;
}
