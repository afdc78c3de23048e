import { inflateSync, zstdDecompressSync } from 'node:zlib';
import { BinaryFormatError } from '../binary-error.ts';
import { BufferSource, type ByteSource, readExactly, viewExactly } from '../byte-source.ts';
import { RangeSource } from '../range-source.ts';
import { type ElfFile, type ElfSection, readSize, sectionFlags, sectionTypes } from './elf-file.ts';

/** Uncompressed; that of Chromium's debug build has 400 MB, which no agent should hold. */
const mostInflatedBytes = 128 * 1024 * 1024;
/** What is read of the file to be inflated at once. */
const mostDeflatedBytes = 64 * 1024 * 1024;
const compressionTypes = { zlib: 1, zstd: 2 } as const;

/**
 * The contents of a section, uncompressed. A plain one is read by pages; a compressed one (`SHF_COMPRESSED` with zlib or zstd, or GNU's
 * older `.zdebug_…`) is inflated into memory, never to more than it declares and `mostBytes`.
 *
 * Throws BinaryFormatError: `unsupported` (no contents, unknown compression), `too_large`, `malformed` and `truncated`.
 */
export function openSection(elf: ElfFile, section: ElfSection, mostBytes = mostInflatedBytes): ByteSource {
  if (section.type === sectionTypes.nobits) throw new BinaryFormatError('unsupported', `${section.name} has no bytes`);
  const { source } = elf;
  if (section.fileOffset > source.size) throw new BinaryFormatError('truncated', `${section.name} is behind the end`);
  const plain = new RangeSource(source, section.fileOffset, section.size);
  if ((section.flags & sectionFlags.compressed) !== 0) return inflateStandard(elf, section, plain, mostBytes);
  if (section.name.startsWith('.zdebug_')) return inflateOld(section, plain, mostBytes);
  return plain;
}

/** `Elf32_Chdr`, `Elf64_Chdr` (System V ABI): type, (reserved,) size, alignment. */
function inflateStandard(elf: ElfFile, section: ElfSection, plain: ByteSource, mostBytes: number): ByteSource {
  const headerBytes = elf.is64Bit ? 24 : 12;
  const header = viewExactly(plain, 0, headerBytes);
  const type = header.getUint32(0, elf.littleEndian);
  const size = readSize(header, elf.is64Bit ? 8 : 4, elf.littleEndian, elf.is64Bit);
  if (type !== compressionTypes.zlib && type !== compressionTypes.zstd) {
    throw new BinaryFormatError('unsupported', `${section.name}: compression ${type}`);
  }
  return inflate(section.name, plain, headerBytes, size, type === compressionTypes.zstd, mostBytes);
}

/** `ZLIB` and the size, always big-endian. */
function inflateOld(section: ElfSection, plain: ByteSource, mostBytes: number): ByteSource {
  const header = viewExactly(plain, 0, 12);
  if (header.getUint32(0) !== 0x5a4c4942) throw new BinaryFormatError('malformed', `${section.name}: no ZLIB mark`);
  return inflate(section.name, plain, 12, readSize(header, 4, false, true), false, mostBytes);
}

function inflate(
  name: string,
  plain: ByteSource,
  from: number,
  size: number,
  isZstd: boolean,
  mostBytes: number,
): ByteSource {
  const deflatedBytes = plain.size - from;
  if (size > mostBytes || deflatedBytes > mostDeflatedBytes) {
    throw new BinaryFormatError('too_large', `${name}: ${size} bytes in ${deflatedBytes}`);
  }
  if (size === 0) return new BufferSource(new Uint8Array(0));
  const deflated = readExactly(plain, from, deflatedBytes);
  try {
    const inflated = (isZstd ? zstdDecompressSync : inflateSync)(deflated, { maxOutputLength: size });
    if (inflated.length !== size)
      throw new BinaryFormatError('malformed', `${name}: ${inflated.length} of ${size} bytes`);
    return new BufferSource(inflated);
  } catch (error) {
    if (error instanceof BinaryFormatError || !(error instanceof Error)) throw error;
    throw new BinaryFormatError('malformed', `${name}: ${error.message}`);
  }
}
