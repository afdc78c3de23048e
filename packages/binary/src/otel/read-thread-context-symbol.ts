import { asResult, type BinaryResult } from '../binary-error.ts';
import { readExactly } from '../byte-source.ts';
import { type ElfFile, type ElfSection, machines, sectionTypes, segmentTypes } from '../elf/elf-file.ts';
import { eachNamedSymbol, stringsOf } from '../elf/named-symbols.ts';
import { openSection } from '../elf/section-source.ts';

/** Where the loader puts how a thread's variable is got at, each one or two words. */
export interface ThreadVariableSlot {
  /** The thread's module and the offset in its block; a function and what it is given (TLSDESC); the offset from the thread pointer. */
  readonly kind: 'module' | 'descriptor' | 'offset';
  /** ELF virtual address. */
  readonly address: bigint;
}

/** The variable by which each thread publishes its OpenTelemetry context (OTEP 4947), in the file that defines it. */
export interface ThreadContextSymbol {
  /** In the block of the file's variables; bytes. */
  readonly offset: number;
  /** From the thread pointer, where the file is the program and not a library. */
  readonly programOffset: number;
  readonly slots: readonly ThreadVariableSlot[];
}

const name = 'otel_thread_ctx_v1';
/** Of the strings of `.dynsym`; the largest libraries have 20 MB. */
const mostStringBytes = 64 * 1024 * 1024;
/** Linkers make one; files that are linked of many have a few. */
const mostSlots = 16;
const relocationBytes = 24;
const chunkRelocations = 16_384;
/** Of all variables of a thread that one file has. */
const mostBlockBytes = 2 ** 31;
/** System V ABI, AMD64 supplement, "Relocation Types". */
const slotKinds: ReadonlyMap<number, ThreadVariableSlot['kind']> = new Map([
  [16, 'module'],
  [18, 'offset'],
  [36, 'descriptor'],
]);

/** Looks for the variable in the dynamic symbols of a file for x86-64, in which it must be. Errors are those of a damaged file. */
export function readThreadContextSymbol(elf: ElfFile): BinaryResult<ThreadContextSymbol | undefined> {
  return asResult(() => {
    if (elf.machine !== machines.x86_64 || !elf.is64Bit) return undefined;
    const block = elf.segments.find(({ type }) => type === segmentTypes.threads);
    const symbols = elf.sections.find(({ type }) => type === sectionTypes.dynsym);
    if (block === undefined || symbols === undefined) return undefined;
    const symbol = findSymbol(elf, symbols);
    if (symbol === undefined || symbol.offset >= mostBlockBytes || block.memorySize >= mostBlockBytes) return undefined;
    const align = Math.max(1, block.align);
    const { offset } = symbol;
    // The program's block ends at the thread pointer (Drepper, "ELF Handling For Thread-Local Storage", variant II).
    return {
      offset,
      programOffset: offset - Math.ceil(block.memorySize / align) * align,
      slots: elf.sections
        .filter(({ type, link }) => type === sectionTypes.rela && (link === symbols.index || link === 0))
        .flatMap((section) => slotsIn(elf, section, symbol))
        .slice(0, mostSlots),
    };
  });
}

interface FoundSymbol {
  readonly index: number;
  readonly offset: number;
}

function findSymbol(elf: ElfFile, section: ElfSection): FoundSymbol | undefined {
  const strings = elf.sections[section.link];
  if (strings === undefined || strings.size > mostStringBytes || section.entrySize < 24) return undefined;
  const opened = { symbols: openSection(elf, section), strings: openSection(elf, strings) };
  const count = Math.floor(opened.symbols.size / section.entrySize);
  const table = { ...opened, count, entrySize: section.entrySize };
  const at = stringsOf(table).indexOf(`\0${name}\0`);
  if (at < 0) return undefined;
  let found: FoundSymbol | undefined;
  eachNamedSymbol(table, new Map([[at + 1, name]]), (_, { start, index, sectionIndex }) => {
    if (sectionIndex !== 0) found = { index, offset: Number(start) };
  });
  return found;
}

/** Of the symbol, or where the linker knew that no other file has it, of its place: in a pair with a module the second word says which one. */
function slotsIn(elf: ElfFile, section: ElfSection, { index, offset }: FoundSymbol): ThreadVariableSlot[] {
  const source = openSection(elf, section);
  const slots: ThreadVariableSlot[] = [];
  const count = Math.floor(source.size / relocationBytes);
  for (let first = 0; first < count; first += chunkRelocations) {
    const entries = Math.min(chunkRelocations, count - first);
    const bytes = readExactly(source, first * relocationBytes, entries * relocationBytes);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let at = 0; at < bytes.length; at += relocationBytes) {
      const kind = slotKinds.get(view.getUint32(at + 8, true));
      if (kind === undefined) continue;
      const symbol = view.getUint32(at + 12, true);
      const isPlace = symbol === 0 && (kind === 'module' || view.getBigInt64(at + 16, true) === BigInt(offset));
      if (symbol !== index && !isPlace) continue;
      slots.push({ kind, address: view.getBigUint64(at, true) });
      if (slots.length === mostSlots) return slots;
    }
  }
  return slots;
}
