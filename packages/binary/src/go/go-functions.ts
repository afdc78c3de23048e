import { asResult, type BinaryResult } from '../binary-error.ts';
import type { SourceLine } from '../dwarf/dwarf-file.ts';
import type { ElfFile } from '../elf/elf-file.ts';
import { FieldReader } from './field-reader.ts';
import { findPclntab, type Pclntab } from './pclntab.ts';

/** Go's compiler inlines a few dozen levels; a damaged table must not go round in circles. */
const deepest = 256;
/** Indices into a function's lists (src/internal/abi/symtab.go); the same from 1.18 to 1.26. */
const inlineIndexList = 2;
const inlineCallsData = 3;

/** A function's record; lists are offsets in the table's. */
interface GoFunction {
  /** ELF virtual address. */
  readonly entry: number;
  readonly name: string;
  readonly fileList: number;
  readonly lineList: number;
  readonly unit: number;
  readonly startLine: number;
  readonly inlineList: number;
  /** Offset in the file of the inlined calls. */
  readonly inlineCalls: number | undefined;
}

/** A call that was inlined; a position is the offset of an instruction from the function's entry. */
interface InlinedCall {
  readonly name: string;
  readonly startLine: number;
  /** Up to 1.19 where it was called from … */
  readonly caller: { readonly index: number; readonly file: number; readonly line: number } | undefined;
  /** … since then an instruction whose position is that place. */
  readonly callOffset: number;
}

/**
 * Names, lines and inlined calls of the code that Go's compiler made, from the table that every Go program has, stripped or not (golang.org/s/go12symtab,
 * src/runtime/symtab.go and symtabinl.go). Nothing is resident: each look-up reads a dozen fields through the source. Inlined calls from
 * Go 1.18 on; before, each address has its innermost line and its outermost function.
 */
export class GoFunctions {
  readonly #elf: ElfFile;
  readonly #table: Pclntab;

  constructor(elf: ElfFile, table: Pclntab) {
    this.#elf = elf;
    this.#table = table;
  }

  /** Functions of the table. */
  get length(): number {
    return this.#table.functionCount;
  }

  /** Whether inlined calls are known. */
  get hasInlines(): boolean {
    return this.#table.inlinesAt !== undefined;
  }

  /**
   * Where the instruction at an ELF virtual address comes from, innermost first; undefined outside of Go's code and where the table is damaged. Throws what
   * the operating system throws.
   */
  find(address: bigint): readonly SourceLine[] | undefined {
    if (address <= 0n || address > BigInt(Number.MAX_SAFE_INTEGER)) return undefined;
    const lines = asResult(() => this.#find(Number(address)));
    return lines.ok && lines.value !== undefined && lines.value.length > 0 ? lines.value : undefined;
  }

  #find(address: number): SourceLine[] | undefined {
    const found = this.#functionAt(address);
    if (found === undefined) return undefined;
    const lines: SourceLine[] = [];
    let at = address;
    let file = this.#fileOf(found, this.#listValue(found, found.fileList, at));
    // Between two functions there is no line.
    let line = this.#listValue(found, found.lineList, at);
    if (line === undefined) return undefined;
    let index = found.inlineCalls === undefined ? -1 : (this.#listValue(found, found.inlineList, at) ?? -1);
    while (index >= 0 && lines.length < deepest) {
      const call = this.#inlinedCall(found, index);
      lines.push({ function: call.name, file, line: Math.max(0, line), startLine: call.startLine, isInlined: true });
      if (call.caller === undefined) {
        at = found.entry + call.callOffset;
        file = this.#fileOf(found, this.#listValue(found, found.fileList, at));
        line = this.#listValue(found, found.lineList, at) ?? 0;
        index = this.#listValue(found, found.inlineList, at) ?? -1;
      } else {
        file = this.#fileOf(found, call.caller.file);
        line = call.caller.line;
        ({ index } = call.caller);
      }
    }
    lines.push({ function: found.name, file, line: Math.max(0, line), startLine: found.startLine, isInlined: false });
    return lines;
  }

  #functionAt(address: number): GoFunction | undefined {
    const { functionCount } = this.#table;
    if (address < this.#entryAt(0) || address >= this.#entryAt(functionCount)) return undefined;
    let low = 0;
    let high = functionCount;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (this.#entryAt(middle) <= address) low = middle;
      else high = middle;
    }
    return this.#readFunction(low);
  }

  /** Of the function with this number; of the end behind the last. */
  #entryAt(index: number): number {
    const { reader, version, functionsAt, textStart } = this.#table;
    if (isOld(version)) return reader.word(functionsAt + index * 2 * reader.wordBytes);
    return textStart + reader.u32(functionsAt + index * 8);
  }

  #readFunction(index: number): GoFunction {
    const { reader, version, functionsAt, namesAt, inlinesAt } = this.#table;
    const isWide = isOld(version);
    const entryBytes = isWide ? reader.wordBytes : 4;
    const offset = isWide
      ? reader.word(functionsAt + (index * 2 + 1) * entryBytes)
      : reader.u32(functionsAt + index * 8 + 4);
    const at = version === '1.2' ? offset : functionsAt + offset;
    const field = (number: number): number => reader.u32(at + entryBytes + number * 4);
    const startLine = version === '1.20' ? reader.i32(at + entryBytes + 32) : 0;
    const tailAt = at + entryBytes + (version === '1.20' ? 36 : 32);
    let inlineList = 0;
    let inlineCalls: number | undefined;
    if (inlinesAt !== undefined) {
      const listCount = field(6);
      const dataCount = reader.u8(tailAt + 3);
      const listsAt = tailAt + 4;
      if (listCount > inlineIndexList && dataCount > inlineCallsData) {
        inlineList = reader.u32(listsAt + inlineIndexList * 4);
        const data = reader.u32(listsAt + (listCount + inlineCallsData) * 4);
        if (inlineList !== 0 && data !== 0xffff_ffff) inlineCalls = inlinesAt + data;
      }
    }
    return {
      entry: this.#entryAt(index),
      name: reader.text(namesAt + field(0)),
      fileList: field(4),
      lineList: field(5),
      unit: version === '1.2' ? 0 : field(7),
      startLine: Math.max(0, startLine),
      inlineList,
      inlineCalls,
    };
  }

  #listValue({ entry }: GoFunction, list: number, address: number): number | undefined {
    const { reader, listsAt, quantum } = this.#table;
    return reader.valueAt(listsAt + list, entry, address, quantum);
  }

  #fileOf({ unit }: GoFunction, number: number | undefined): string {
    const { reader, version, filesAt, unitsAt } = this.#table;
    if (number === undefined || number < 0) return '';
    if (version === '1.2') return reader.text(reader.u32(filesAt + number * 4));
    const offset = reader.u32(unitsAt + (unit + number) * 4);
    return offset === 0xffff_ffff ? '' : reader.text(filesAt + offset);
  }

  #inlinedCall({ inlineCalls = 0 }: GoFunction, index: number): InlinedCall {
    const { reader, version, namesAt } = this.#table;
    const file = new FieldReader(this.#elf.source, reader.littleEndian, reader.wordBytes);
    if (version === '1.18') {
      // int16 parent, funcID, padding, int32 file, line, name, place in the caller.
      const at = inlineCalls + index * 20;
      return {
        name: reader.text(namesAt + file.u32(at + 12)),
        startLine: 0,
        caller: { index: file.i16(at), file: file.i32(at + 4), line: file.i32(at + 8) },
        callOffset: 0,
      };
    }
    // funcID and padding, int32 name, place in the caller, line of the declaration.
    const at = inlineCalls + index * 16;
    const name = reader.text(namesAt + file.u32(at + 4));
    return { name, startLine: Math.max(0, file.i32(at + 12)), caller: undefined, callOffset: file.i32(at + 8) };
  }
}

/** Entries are pointers. */
function isOld(version: Pclntab['version']): boolean {
  return version === '1.2' || version === '1.16';
}

/** The table of a Go program; undefined for others. Errors: `malformed`, `truncated`, `unsupported`, `io`. */
export function openGoFunctions(elf: ElfFile): BinaryResult<GoFunctions | undefined> {
  return asResult(() => {
    const table = findPclntab(elf);
    return table === undefined ? undefined : new GoFunctions(elf, table);
  });
}
