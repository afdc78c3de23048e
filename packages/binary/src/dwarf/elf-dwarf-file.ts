import { inflateSync, zstdDecompressSync } from 'node:zlib';
import { BinaryFormatError } from '../binary-error.ts';
import { BufferSource, type ByteSource, readExactly, viewExactly } from '../byte-source.ts';
import {
  type ElfFile,
  type ElfSection,
  readSize,
  sectionFlags,
  sectionTypes,
  segmentFlags,
  segmentTypes,
} from '../elf/elf-file.ts';
import type { DwarfFile } from './dwarf-file.ts';
import { RangeSource } from '../range-source.ts';

/** `ch_type` of a compressed section. */
const compressions = { zlib: 1, zstd: 2 } as const;
/** More of debugging information than this is not inflated for one file: it would have to be held in memory. */
const mostInflatedBytes = 256 * 1024 * 1024;

/**
 * The debugging sections of an ELF file: read by pages as they are needed, or, where they are compressed (zlib, zstd, also the older `.zdebug_`), inflated as a whole
 * when first asked for and kept. A section that inflates to more than its head says is an error, and so is one more after `limitBytes` of them.
 */
export function dwarfFileOf(elf: ElfFile, limitBytes: number = mostInflatedBytes): DwarfFile {
  const codeRanges = elf.segments
    .filter(({ type, flags }) => type === segmentTypes.load && (flags & segmentFlags.execute) !== 0)
    .map(({ virtualAddress, memorySize }) => [virtualAddress, virtualAddress + BigInt(memorySize)] as const);
  const byName = new Map<string, ElfSection>();
  for (const section of elf.sections) {
    if (section.type !== sectionTypes.nobits && !byName.has(section.name)) byName.set(section.name, section);
  }
  let byteLength = 0;
  const inflated = (data: Uint8Array): ByteSource => {
    byteLength += data.length;
    return new BufferSource(data);
  };
  return {
    is64Bit: elf.is64Bit,
    littleEndian: elf.littleEndian,
    codeRanges,
    get byteLength() {
      return byteLength;
    },
    section(name) {
      const plain = byName.get(name);
      const legacy = plain === undefined ? byName.get(name.replace(/^\.debug_/u, '.zdebug_')) : undefined;
      if (plain === undefined) {
        return legacy === undefined ? undefined : inflated(inflateLegacy(elf, legacy, limitBytes - byteLength));
      }
      if ((plain.flags & sectionFlags.compressed) === 0) {
        return new RangeSource(elf.source, plain.fileOffset, plain.size);
      }
      return inflated(inflateSection(elf, plain, limitBytes - byteLength));
    },
  };
}

/** `Elf64_Chdr`: type, reserved word, size, alignment; `Elf32_Chdr` without the reserved word. */
function inflateSection(elf: ElfFile, section: ElfSection, limitBytes: number): Uint8Array {
  const { source, is64Bit, littleEndian } = elf;
  const head = is64Bit ? 24 : 12;
  const view = viewExactly(source, section.fileOffset, head);
  const type = view.getUint32(0, littleEndian);
  const size = readSize(view, is64Bit ? 8 : 4, littleEndian, is64Bit);
  return inflate(elf, section, { head, size, limitBytes, isZstd: type === compressions.zstd, type });
}

/** `.zdebug_`: "ZLIB" and the size in big-endian order. */
function inflateLegacy(elf: ElfFile, section: ElfSection, limitBytes: number): Uint8Array {
  const view = viewExactly(elf.source, section.fileOffset, 12);
  if (view.getUint32(0, false) !== 0x5a4c4942) throw new BinaryFormatError('malformed', `${section.name}: no ZLIB`);
  const size = readSize(view, 4, false, true);
  return inflate(elf, section, { head: 12, size, limitBytes, isZstd: false, type: compressions.zlib });
}

function inflate(
  elf: ElfFile,
  section: ElfSection,
  how: {
    readonly head: number;
    readonly size: number;
    readonly limitBytes: number;
    readonly isZstd: boolean;
    readonly type: number;
  },
): Uint8Array {
  const { head, size, limitBytes, isZstd, type } = how;
  const { name, fileOffset } = section;
  if (size > limitBytes) throw new BinaryFormatError('too_large', `${name}: ${size} bytes inflated`);
  if (!isZstd && type !== compressions.zlib) throw new BinaryFormatError('unsupported', `${name}: compression ${type}`);
  const packed = readExactly(elf.source, fileOffset + head, Math.max(0, section.size - head));
  if (size === 0) return new Uint8Array(0);
  let data: Uint8Array;
  try {
    const limits = { maxOutputLength: size };
    data = isZstd ? zstdDecompressSync(packed, limits) : inflateSync(packed, limits);
  } catch (error) {
    throw new BinaryFormatError('malformed', `${name}: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (data.length !== size) throw new BinaryFormatError('malformed', `${name}: ${data.length} of ${size} bytes`);
  return data;
}
