import { crc32 } from 'node:zlib';
import { asResult, type BinaryResult } from '../binary-error.ts';
import { BufferSource, type ByteSource, readExactly } from '../byte-source.ts';
import { decompressXz } from './decompress-xz.ts';
import { type ElfFile, readElfFile, sectionTypes } from './elf-file.ts';
import { openSection } from './section-source.ts';

/** `.gnu_debuglink`: a file name without directory, and the CRC-32 of that file. */
export interface DebugLink {
  readonly name: string;
  readonly crc: number;
}

/** `.gnu_debugaltlink`: what `dwz` moved out of several files into one; `buildId` in lower-case hex. */
export interface SupplementaryLink {
  readonly path: string;
  readonly buildId: string;
}

/** A path is at most 4,096 bytes in Linux. */
const mostLinkBytes = 8192;
/** Uncompressed mini debug information; that of the largest programs has some 10 MB. */
const mostMiniBytes = 32 * 1024 * 1024;
const crcPortion = 256 * 1024;

/** The name of the file with the debugging information that was split off; undefined where there is none or it is damaged. */
export function readDebugLink(elf: ElfFile): DebugLink | undefined {
  const bytes = contentOf(elf, '.gnu_debuglink', mostLinkBytes);
  const end = bytes?.indexOf(0) ?? -1;
  if (bytes === undefined || end <= 0) return undefined;
  const name = Buffer.from(bytes.subarray(0, end)).toString();
  const crcAt = Math.ceil((end + 1) / 4) * 4;
  // A name, not a path: it is looked for in fixed directories.
  if (crcAt + 4 > bytes.length || name.includes('/') || name === '.' || name === '..') return undefined;
  return { name, crc: new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(crcAt, elf.littleEndian) };
}

/** The supplementary file that the DWARF of this file refers to; undefined where there is none or it is damaged. */
export function readSupplementaryLink(elf: ElfFile): SupplementaryLink | undefined {
  const bytes = contentOf(elf, '.gnu_debugaltlink', mostLinkBytes);
  const end = bytes?.indexOf(0) ?? -1;
  if (bytes === undefined || end <= 0) return undefined;
  const buildId = Buffer.from(bytes.subarray(end + 1)).toString('hex');
  return { path: Buffer.from(bytes.subarray(0, end)).toString(), buildId };
}

/** Bytes in the file of its own DWARF, compressed or not; 0 where it has none that tells lines. */
export function dwarfBytesOf(elf: ElfFile): number {
  const sections = elf.sections.filter(({ name, type }) => /^\.z?debug_/.test(name) && type !== sectionTypes.nobits);
  if (!sections.some(({ name }) => /^\.z?debug_(info|line)$/.test(name))) return 0;
  return sections.reduce((sum, { size }) => sum + size, 0);
}

/**
 * The symbols that Fedora and its kin leave in stripped files: an ELF file compressed by xz in `.gnu_debugdata`. Undefined where there is none.
 * Errors: those of reading and inflating.
 */
export async function readMiniDebugInfo(elf: ElfFile): Promise<BinaryResult<ElfFile | undefined>> {
  const section = elf.sections.find(({ name, type }) => name === '.gnu_debugdata' && type !== sectionTypes.nobits);
  if (section === undefined) return { ok: true, value: undefined };
  const compressed = asResult(() => {
    const source = openSection(elf, section);
    return readExactly(source, 0, Math.min(source.size, mostMiniBytes)).slice();
  });
  if (!compressed.ok) return compressed;
  const inflated = await decompressXz(compressed.value, mostMiniBytes);
  return inflated.ok ? readElfFile(new BufferSource(inflated.value)) : inflated;
}

/** CRC-32 of a whole file, as `.gnu_debuglink` has it. Reads it once through; throws what the operating system throws. */
export function crcOfSource(source: ByteSource): number {
  let crc = 0;
  for (let at = 0; at < source.size; at += crcPortion) {
    const bytes = source.read(at, Math.min(crcPortion, source.size - at));
    if (bytes.length === 0) break;
    crc = crc32(bytes, crc);
  }
  return crc;
}

function contentOf(elf: ElfFile, name: string, mostBytes: number): Uint8Array | undefined {
  const section = elf.sections.find((each) => each.name === name && each.type !== sectionTypes.nobits);
  if (section === undefined || section.size > mostBytes) return undefined;
  const bytes = asResult(() => {
    const source = openSection(elf, section, mostBytes);
    return readExactly(source, 0, source.size).slice();
  });
  return bytes.ok ? bytes.value : undefined;
}
