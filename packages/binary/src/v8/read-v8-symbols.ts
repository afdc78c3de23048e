import { asResult, type BinaryResult } from '../binary-error.ts';
import { type ByteSource, readExactly } from '../byte-source.ts';
import { fileOffsetOfVirtualAddress } from '../elf/elf-addresses.ts';
import type { ElfFile } from '../elf/elf-file.ts';
import { eachNamedSymbol, stringsOf } from '../elf/named-symbols.ts';
import { findSymbolSections, type SymbolSection } from '../elf/symbol-sections.ts';

/** What V8 says of itself in the symbols of the program that it is linked into. */
export interface V8Symbols {
  /** Major and minor version of V8; 0.0 where the program does not tell. */
  readonly version: readonly [major: number, minor: number];
  /** `v8dbg_*` without the prefix: offsets of fields, types of objects and the like (V8, tools/gen-postmortem-metadata.py). */
  readonly constants: ReadonlyMap<string, number>;
  /** ELF virtual addresses of the code of the builtins, end exclusive. */
  readonly builtins: { readonly start: bigint; readonly end: bigint } | undefined;
  /** Bytes of each bytecode with operands of 1, of 2 and of 4 bytes: three tables, one after the other. */
  readonly bytecodeSizes: Uint8Array | undefined;
}

/** Programs that V8 is linked into have 70 MB and more, the library of Debian's 45; smaller ones are not looked into. */
const smallestProgram = 24 * 1024 * 1024;
/** Of the strings of a symbol table; Node.js has 12 MB. */
const mostStringBytes = 256 * 1024 * 1024;
/** V8 has about 500. */
const mostConstants = 4096;
const mostBytecodes = 256;

const prefix = 'v8dbg_';
const versionMajor = '_ZN2v88internal7Version6major_E';
const versionMinor = '_ZN2v88internal7Version6minor_E';
const blobCode = 'v8_Default_embedded_blob_code_';
/** Before V8 11.3 the symbol without `data_` is a pointer to the code. */
const blobCodeData = 'v8_Default_embedded_blob_code_data_';
const blobSize = 'v8_Default_embedded_blob_code_size_';
const sizesOfBytecodes = '_ZN2v88internal11interpreter9Bytecodes14kBytecodeSizesE';
const wantedNames = [sizesOfBytecodes, versionMajor, versionMinor, blobCode, blobCodeData, blobSize];

/**
 * Looks for V8's symbols in a program. Undefined where it has none, which is told from its strings, so most programs cost nothing; errors are
 * those of a damaged file.
 */
export function readV8Symbols(elf: ElfFile): BinaryResult<V8Symbols | undefined> {
  return asResult(() => {
    if (!elf.is64Bit || !elf.littleEndian || elf.source.size < smallestProgram) return undefined;
    const addresses = new Map<string, Address>();
    // The builtins' symbols are local, so only in the full table; a stripped program still exports the others.
    for (const section of findSymbolSections(elf)) {
      for (const [name, address] of findAddresses(section)) addresses.set(name, address);
    }
    return addresses.size === 0 ? undefined : symbolsAt(elf, addresses);
  });
}

/** Virtual, and bytes there. */
interface Address {
  readonly start: bigint;
  readonly size: number;
}

/** Virtual addresses of the symbols that are wanted; none where the table has none of V8's. */
function findAddresses(section: SymbolSection): ReadonlyMap<string, Address> {
  const addresses = new Map<string, Address>();
  if (section.strings.size > mostStringBytes) return addresses;
  const names = findNames(stringsOf(section));
  if (names === undefined) return addresses;
  eachNamedSymbol(section, names, (name, { start, size }) => addresses.set(name, { start, size: Number(size) }));
  return addresses;
}

/** The wanted names by their offset in the strings. */
function findNames(strings: Buffer): ReadonlyMap<number, string> | undefined {
  const names = new Map<number, string>();
  const nameAt = (at: number): string => {
    const end = strings.indexOf(0, at);
    return strings.toString('latin1', at, Math.min(end < 0 ? strings.length : end, at + 256));
  };
  for (let at = strings.indexOf(`\0${prefix}`); at >= 0; at = strings.indexOf(`\0${prefix}`, at + 1)) {
    if (names.size >= mostConstants) return undefined;
    names.set(at + 1, nameAt(at + 1));
  }
  if (names.size === 0) return undefined;
  for (const name of wantedNames) {
    const at = strings.indexOf(`\0${name}\0`);
    if (at >= 0) names.set(at + 1, name);
  }
  return names;
}

function symbolsAt(elf: ElfFile, addresses: ReadonlyMap<string, Address>): V8Symbols {
  const valueAt = (address: Address | undefined): number | undefined => {
    const offset = address === undefined ? undefined : fileOffsetOfVirtualAddress(elf, address.start);
    // What lies in .bss is zero.
    return offset === undefined ? undefined : readInt32(elf.source, Number(offset), elf.littleEndian);
  };
  const constants = new Map<string, number>();
  for (const [name, address] of addresses) {
    if (name.startsWith(prefix)) constants.set(name.slice(prefix.length), valueAt(address) ?? 0);
  }
  const start = (addresses.get(blobCodeData) ?? addresses.get(blobCode))?.start;
  const size = valueAt(addresses.get(blobSize)) ?? 0;
  return {
    version: [valueAt(addresses.get(versionMajor)) ?? 0, valueAt(addresses.get(versionMinor)) ?? 0],
    constants,
    builtins: start === undefined || size <= 0 ? undefined : { start, end: start + BigInt(size) },
    bytecodeSizes: readBytecodeSizes(elf, addresses.get(sizesOfBytecodes)),
  };
}

function readBytecodeSizes(elf: ElfFile, address: Address | undefined): Uint8Array | undefined {
  if (address === undefined || address.size % 3 !== 0 || address.size > 3 * mostBytecodes) return undefined;
  const offset = fileOffsetOfVirtualAddress(elf, address.start);
  return offset === undefined ? undefined : readExactly(elf.source, Number(offset), address.size).slice();
}

function readInt32(source: ByteSource, offset: number, littleEndian: boolean): number {
  const bytes = readExactly(source, offset, 4);
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getInt32(0, littleEndian);
}
