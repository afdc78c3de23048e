import { asResult, type BinaryResult } from '../binary-error.ts';
import { readExactly } from '../byte-source.ts';
import { fileOffsetOfVirtualAddress } from '../elf/elf-addresses.ts';
import type { ElfFile } from '../elf/elf-file.ts';
import { openSection } from '../elf/section-source.ts';
import { eachNamedSymbol, stringsOf } from '../elf/named-symbols.ts';
import { findSymbolSections, type SymbolSection } from '../elf/symbol-sections.ts';

/** What CPython says of itself in the program or library that it is linked into. Addresses are ELF virtual addresses. */
export interface PythonSymbols {
  /** 3.11 is [3, 11]; 0.0 where the program does not tell. */
  readonly version: readonly [major: number, minor: number];
  /** `_PyRuntime`, from which everything is found. */
  readonly runtime: bigint;
  /** `_PyEval_EvalFrameDefault`, the interpreter's loop; end exclusive. */
  readonly loop: { readonly start: bigint; readonly end: bigint } | undefined;
  /** Up to 3.10: the functions through which the loop calls itself, as far as they have symbols; four at most. */
  readonly glue: readonly { readonly start: bigint; readonly end: bigint }[];
  /** What the file has at `_PyRuntime`: from 3.13 on it begins with `_Py_DebugOffsets` (Include/internal/pycore_debug_offsets.h). */
  readonly runtimeHead: Uint8Array | undefined;
}

/** Of the strings of a symbol table: CPython's have 1 MB at most, the programs that embed it more. */
const mostStringBytes = 16 * 1024 * 1024;
const mostReadOnlyBytes = 64 * 1024 * 1024;
const chunkBytes = 1 << 20;
/** `_Py_DebugOffsets` of 3.13 has 600 bytes, that of 3.14 some 800. */
const headBytes = 1024;
const runtimeName = '_PyRuntime';
const loopName = '_PyEval_EvalFrameDefault';
/** A constant from 3.11 on: PY_VERSION_HEX. */
const versionName = 'Py_Version';
const glueNames = ['_PyFunction_Vectorcall', 'function_code_fastcall', 'call_function', '_PyEval_Vector'];
/** In front of the version in sys.implementation.cache_tag. */
const tag = '\0cpython-3';

interface Symbol {
  readonly start: bigint;
  readonly size: bigint;
}

/**
 * Looks for CPython's symbols. Undefined where the file does not define them, which is told from its strings, so most files cost little; errors are
 * those of a damaged file.
 */
export function readPythonSymbols(elf: ElfFile): BinaryResult<PythonSymbols | undefined> {
  return asResult(() => {
    if (!elf.is64Bit || !elf.littleEndian) return undefined;
    const symbols = new Map<string, Symbol>();
    for (const section of findSymbolSections(elf)) addSymbols(section, symbols);
    const runtime = symbols.get(runtimeName)?.start;
    if (runtime === undefined) return undefined;
    const loop = symbols.get(loopName);
    return {
      version: versionOf(elf, symbols.get(versionName)),
      runtime,
      loop: loop === undefined ? undefined : rangeOf(loop),
      glue: glueNames.flatMap((name) => {
        const symbol = symbols.get(name);
        return symbol === undefined ? [] : [rangeOf(symbol)];
      }),
      runtimeHead: bytesAt(elf, runtime, headBytes),
    };
  });
}

function rangeOf({ start, size }: Symbol): { readonly start: bigint; readonly end: bigint } {
  return { start, end: start + size };
}

function addSymbols(section: SymbolSection, found: Map<string, Symbol>): void {
  if (section.strings.size > mostStringBytes) return;
  const text = stringsOf(section);
  const names = new Map<number, string>();
  for (const name of [runtimeName, loopName, versionName, ...glueNames]) {
    const at = text.indexOf(`\0${name}\0`);
    if (at < 0 && name === runtimeName) return;
    if (at >= 0) names.set(at + 1, name);
  }
  eachNamedSymbol(section, names, (name, { start, size, sectionIndex }) => {
    // Extension modules refer to it without defining it.
    if (sectionIndex !== 0) found.set(name, { start, size });
  });
}

function bytesAt(elf: ElfFile, address: bigint, length: number): Uint8Array | undefined {
  const offset = fileOffsetOfVirtualAddress(elf, address);
  if (offset === undefined) return undefined;
  const bytes = elf.source.read(Number(offset), length);
  return bytes.length < length ? undefined : bytes.slice();
}

function versionOf(elf: ElfFile, constant: Symbol | undefined): PythonSymbols['version'] {
  const bytes = constant === undefined ? undefined : bytesAt(elf, constant.start, 8);
  if (bytes !== undefined) return [bytes[3] ?? 0, bytes[2] ?? 0];
  const minor = minorByTag(elf);
  return minor === undefined ? [0, 0] : [3, minor];
}

/** Before 3.11 nothing but the program's own text tells: `cpython-310`. */
function minorByTag(elf: ElfFile): number | undefined {
  const section = elf.sections.find(({ name }) => name === '.rodata');
  if (section === undefined || section.size > mostReadOnlyBytes) return undefined;
  const source = openSection(elf, section);
  for (let from = 0; from < source.size; from += chunkBytes) {
    // Some bytes of the next chunk, too: the tag may lie across.
    const bytes = Buffer.from(readExactly(source, from, Math.min(chunkBytes + 16, source.size - from)));
    for (let at = bytes.indexOf(tag); at >= 0; at = bytes.indexOf(tag, at + 1)) {
      const found = /^(\d{1,2})\0/u.exec(bytes.toString('latin1', at + tag.length, at + tag.length + 3));
      if (found !== null) return Number(found[1]);
    }
  }
  return undefined;
}
