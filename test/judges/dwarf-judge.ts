import { closeSync, existsSync, openSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import {
  type DwarfFile,
  dwarfFileOf,
  type DwarfLines,
  type ElfFile,
  FileSource,
  openDwarf,
  readElfFile,
  sectionFlags,
  type SourceLine,
} from '@everflame/binary';
import { type JudgedLine, judgedLines, type LineJudge } from './addr2line.ts';

/** DWARF of a file on disk, with everything that belongs to it: dwz's file, `.dwp`, `.dwo`. */
export class DwarfOnDisk {
  readonly elf: ElfFile;
  readonly lines: DwarfLines;
  readonly #fds: number[] = [];

  /** Throws when the file is not there or has no DWARF. */
  constructor(path: string, budgetBytes = 32 * 1024 * 1024) {
    this.elf = this.#elf(path);
    const link = this.elf.sections.find(({ name }) => name === '.gnu_debugaltlink');
    const bytes = link === undefined ? undefined : this.elf.source.read(link.fileOffset, link.size);
    const alternate =
      bytes === undefined ? undefined : Buffer.from(bytes.subarray(0, bytes.indexOf(0))).toString('utf8');
    const opened = openDwarf(dwarfFileOf(this.elf), {
      budgetBytes,
      supplementary: alternate === undefined ? undefined : this.#open(resolve(dirname(path), alternate)),
      packageFile: existsSync(`${path}.dwp`) ? this.#open(`${path}.dwp`) : undefined,
      split: (name, directory) => {
        const file = resolve(directory, name);
        return existsSync(file) ? this.#open(file) : undefined;
      },
    });
    if (!opened.ok || opened.value === undefined) {
      throw new Error(`${path}: ${opened.ok ? 'no .debug_info' : opened.error.detail}`);
    }
    this.lines = opened.value;
  }

  #elf(path: string): ElfFile {
    const fd = openSync(path, 'r');
    this.#fds.push(fd);
    const elf = readElfFile(new FileSource(fd));
    if (!elf.ok) throw new Error(`${path}: ${elf.error.detail}`);
    return elf.value;
  }

  #open(path: string): DwarfFile {
    return dwarfFileOf(this.#elf(path));
  }

  close(): void {
    for (const fd of this.#fds) closeSync(fd);
  }
}

/** Addresses drawn from the executable sections, each byte as likely as any other. */
export function drawAddresses(elf: ElfFile, count: number, random: () => number): bigint[] {
  const sections = elf.sections.filter(({ flags, size }) => (flags & sectionFlags.execute) !== 0 && size > 0);
  const total = sections.reduce((sum, { size }) => sum + size, 0);
  if (total === 0) throw new Error('no code to draw addresses from');
  const addresses: bigint[] = [];
  while (addresses.length < count) {
    let at = Math.floor(random() * total);
    for (const { size, virtualAddress } of sections) {
      if (at < size) {
        addresses.push(virtualAddress + BigInt(at));
        break;
      }
      at -= size;
    }
  }
  return addresses;
}

/** Every address of the executable sections, for small files. */
export function codeAddresses(elf: ElfFile): bigint[] {
  const addresses: bigint[] = [];
  for (const { flags, size, virtualAddress } of elf.sections) {
    if ((flags & sectionFlags.execute) === 0) continue;
    for (let at = 0; at < size; at++) addresses.push(virtualAddress + BigInt(at));
  }
  return addresses;
}

export interface LineDifference {
  readonly address: bigint;
  readonly ours: string;
  readonly theirs: string;
}

export interface LineComparison {
  /** Addresses at which the judge knows a line. */
  readonly judged: number;
  /** Of them, those at which it tells of inlined functions. */
  readonly inlined: number;
  readonly differences: readonly LineDifference[];
}

/** Where the judge and our reader do not say the same of an address: functions, files, lines, and how they were inlined. */
export function compareLines(
  path: string,
  judge: LineJudge,
  lines: DwarfLines,
  addresses: readonly bigint[],
): LineComparison {
  const answers = judgedLines(judge, path, addresses);
  const differences: LineDifference[] = [];
  let [judged, inlined] = [0, 0];
  for (const [i, address] of addresses.entries()) {
    const answer = answers[i] ?? [];
    // Without DWARF at an address the judges tell the symbol, and the file that the symbol table has: neither is ours to tell.
    const theirs = answer.some(({ file, line }) => file.includes('/') || line > 0) ? answer : [];
    const found = lines.find(address) ?? [];
    const ours = found.some(({ file }) => file !== '') ? found : [];
    if (theirs.length > 0) judged++;
    if (theirs.length > 1) inlined++;
    if (!isSameChain(ours, theirs)) differences.push({ address, ours: drawChain(ours), theirs: drawChain(theirs) });
  }
  return { judged, inlined, differences };
}

function isSameChain(ours: readonly SourceLine[], theirs: readonly JudgedLine[]): boolean {
  return (
    ours.length === theirs.length &&
    ours.every((mine, i) => {
      const other = theirs[i];
      if (other === undefined) return false;
      const isEdge = i === 0 || i === ours.length - 1;
      return (
        isSameName(mine.function, other.function, isEdge) &&
        normal(mine.file) === normal(other.file) &&
        mine.line === other.line
      );
    })
  );
}

/**
 * Judges print the bare name of a function without linkage name, we its namespaces as well. For the outermost function they print the ELF symbol instead, and addr2line
 * does so for the innermost one, too, although that is another function. Where DWARF has a line only, the symbol is all that they can tell.
 */
function isSameName(ours: string, theirs: string, isEdge: boolean): boolean {
  if (ours === theirs || ours.endsWith(`::${theirs}`)) return true;
  return isEdge && (ours === '' || (!/^_[ZR]/u.test(ours) && /^_[ZR]/u.test(theirs)));
}

/** The chain as one line. */
export function drawChain(chain: readonly (SourceLine | JudgedLine)[]): string {
  return chain.map((each) => `${each.function} ${normal(each.file)}:${each.line}`).join(' < ');
}

/** Judges differ among themselves in `./` and `../` within a path. */
function normal(file: string): string {
  return file === '' ? '' : resolve('/', file);
}
