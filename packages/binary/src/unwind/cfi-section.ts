import { readExactly } from '../byte-source.ts';
import { fileOffsetOfVirtualAddress } from '../elf/elf-addresses.ts';
import { type ElfFile, sectionFlags, sectionTypes, segmentTypes } from '../elf/elf-file.ts';
import { CfiCursor } from './cfi-cursor.ts';
import { pointerEncodings, readEncodedPointer } from './encoded-pointer.ts';

/** Call frame information as it lies in the file. */
export interface CfiSection {
  readonly bytes: Uint8Array;
  /** ELF virtual address of the first byte: what pc-relative pointers count from. */
  readonly address: number;
  /** `.debug_frame` numbers its CIEs from the section's start and names none with all bits set; `.eh_frame` counts backwards. */
  readonly isDebugFrame: boolean;
}

/** The largest seen is Chromium's at 25 MB. It is read whole, so this also bounds the memory. */
const largestSectionBytes = 128 * 1024 * 1024;
/** PT_GNU_EH_FRAME: `.eh_frame_hdr`, for files without section headers. */
const ehFrameHeaderSegment = 0x6474e550;

/**
 * `.eh_frame`, by its section header or through PT_GNU_EH_FRAME, and `.debug_frame`, which compilers write for code that is not in
 * `.eh_frame`. What is empty, compressed, out of the file or too large is left out.
 */
export function readCfiSections(elf: ElfFile): CfiSection[] {
  const found: CfiSection[] = [];
  for (const name of ['.debug_frame', '.eh_frame']) {
    const section = elf.sections.find((each) => each.name === name && each.type !== sectionTypes.nobits);
    if (section === undefined || (section.flags & sectionFlags.compressed) !== 0) continue;
    const read = readPart(elf, section.fileOffset, section.size, section.virtualAddress, name === '.debug_frame');
    if (read !== undefined) found.push(read);
  }
  if (!found.some((each) => !each.isDebugFrame)) {
    const read = readBySegment(elf);
    if (read !== undefined) found.push(read);
  }
  return found;
}

function readPart(
  elf: ElfFile,
  fileOffset: number,
  size: number,
  address: bigint,
  isDebugFrame: boolean,
): CfiSection | undefined {
  if (size === 0 || size > largestSectionBytes || fileOffset + size > elf.source.size) return undefined;
  if (address > BigInt(Number.MAX_SAFE_INTEGER)) return undefined;
  // A copy: the source may use its page for something else with the next read.
  return { bytes: readExactly(elf.source, fileOffset, size).slice(), address: Number(address), isDebugFrame };
}

/** LSB core specification, "Exception frames": `.eh_frame_hdr` begins with version 1, three encodings and where `.eh_frame` is. */
function readBySegment(elf: ElfFile): CfiSection | undefined {
  const header = elf.segments.find(({ type }) => type === ehFrameHeaderSegment);
  if (header === undefined || header.virtualAddress > BigInt(Number.MAX_SAFE_INTEGER)) return undefined;
  const cursor = new CfiCursor(elf.source.read(header.fileOffset, 16));
  cursor.seek(0, 16);
  const version = cursor.u8();
  const encoding = cursor.u8();
  cursor.skip(2);
  if (version !== 1 || encoding === pointerEncodings.omit) return undefined;
  const start = readEncodedPointer(cursor, encoding, Number(header.virtualAddress), elf.is64Bit ? 8 : 4);
  if (cursor.failed || start <= 0) return undefined;
  const offset = fileOffsetOfVirtualAddress(elf, BigInt(start));
  if (offset === undefined) return undefined;
  const fileOffset = Number(offset);
  // Its size is nowhere told: it ends with an entry of length 0 or with its segment.
  const segment = elf.segments.find(
    (each) =>
      each.type === segmentTypes.load && fileOffset >= each.fileOffset && fileOffset < each.fileOffset + each.fileSize,
  );
  if (segment === undefined) return undefined;
  const end = Math.min(segment.fileOffset + segment.fileSize, elf.source.size);
  return readPart(elf, fileOffset, Math.min(end - fileOffset, largestSectionBytes), BigInt(start), false);
}
