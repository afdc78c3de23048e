import { closeSync, constants, mkdtempSync, openSync, rmdirSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type ByteSource,
  type DwarfFile,
  dwarfFileOf,
  type ElfFile,
  FileSource,
  openSection,
  scatteredFields,
  sectionFlags,
} from '@everflame/binary';

/** Compressed sections that inflate to less stay in memory. */
const mostInMemory = 256 * 1024;
/** Of one section: that of a program of 100 MB with debugging information. */
const mostInflatedBytes = 256 * 1024 * 1024;

/**
 * The debugging sections of a file, which the agent could not hold: those of Debian's libc alone inflate to 14 MB. Compressed sections are inflated once into a file
 * without a name and read from it by pages.
 */
export class SpilledDwarf implements DwarfFile {
  readonly is64Bit: boolean;
  readonly littleEndian: boolean;
  readonly codeRanges: DwarfFile['codeRanges'];
  readonly #plain: DwarfFile;
  readonly #elf: ElfFile;
  readonly #descriptors: number[] = [];
  readonly #onClosed: ((closed: SpilledDwarf) => void) | undefined;
  #byteLength = 0;

  /** `descriptors` are closed with it, and then `onClosed` is called; both may be left out. */
  constructor(elf: ElfFile, descriptors: readonly number[] = [], onClosed?: (closed: SpilledDwarf) => void) {
    this.#descriptors.push(...descriptors);
    this.#onClosed = onClosed;
    this.#elf = elf;
    this.#plain = dwarfFileOf(elf, mostInflatedBytes);
    this.is64Bit = this.#plain.is64Bit;
    this.littleEndian = this.#plain.littleEndian;
    this.codeRanges = this.#plain.codeRanges;
  }

  get byteLength(): number {
    return this.#plain.byteLength + this.#byteLength;
  }

  section(name: string): ByteSource | undefined {
    const section =
      this.#elf.sections.find((each) => each.name === name) ??
      this.#elf.sections.find((each) => each.name === name.replace(/^\.debug_/, '.zdebug_'));
    const isCompressed =
      section !== undefined && ((section.flags & sectionFlags.compressed) !== 0 || section.name.startsWith('.zdebug_'));
    if (!isCompressed || section.size < mostInMemory / 8) return this.#plain.section(name);
    const inflated = openSection(this.#elf, section, mostInflatedBytes);
    if (inflated.size <= mostInMemory) {
      this.#byteLength += inflated.size;
      return inflated;
    }
    const fd = writeNameless(inflated.read(0, inflated.size));
    this.#descriptors.push(fd);
    this.#byteLength += scatteredFields.bytes * scatteredFields.kept;
    return new FileSource(fd, inflated.size, scatteredFields);
  }

  /** May be called again. */
  close(): void {
    this.#onClosed?.(this);
    for (const fd of this.#descriptors.splice(0)) closeSync(fd);
  }
}

/** Only this process can read it, and it is gone when the descriptor is closed. Throws what the operating system throws: no space, no directory. */
function writeNameless(bytes: Uint8Array): number {
  const directory = mkdtempSync(join(tmpdir(), 'everflame-dwarf-'));
  const path = join(directory, 'section');
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600);
  try {
    unlinkSync(path);
    rmdirSync(directory);
    for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}
