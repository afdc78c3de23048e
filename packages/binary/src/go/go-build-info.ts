import { asResult, BinaryFormatError, type BinaryResult } from '../binary-error.ts';
import { type ByteSource, readExactly } from '../byte-source.ts';
import { type ElfFile, segmentTypes } from '../elf/elf-file.ts';
import { openSection } from '../elf/section-source.ts';
import { RangeSource } from '../range-source.ts';

/** What `go version -m` shows of a program. */
export interface GoBuildInfo {
  /** Of the compiler: `go1.26.0`. */
  readonly goVersion: string;
  /** The main module's version, `(devel)` where it was built from a checkout before Go 1.24; '' where there is none. */
  readonly mainVersion: string;
  /** Settings by key: `vcs.revision`, `vcs.modified`, `CGO_ENABLED`, … */
  readonly settings: ReadonlyMap<string, string>;
}

const magic = Buffer.from('\xff Go buildinf:', 'latin1');
const headerBytes = 32;
/** A program with 1,000 modules has 100 KB. */
const mostTextBytes = 1024 * 1024;
const mostLines = 20_000;

/**
 * Reads the section `.go.buildinfo` (debug/buildinfo of Go's library): at the magic, 32 bytes of header, then two strings with their lengths as
 * varints (Go ≥ 1.18), or two pointers to Go strings (before). Undefined for a program that is not Go's.
 */
export function readGoBuildInfo(elf: ElfFile): BinaryResult<GoBuildInfo | undefined> {
  return asResult(() => {
    const section = elf.sections.find(({ name }) => name === '.go.buildinfo');
    if (section === undefined) return undefined;
    const source = openSection(elf, section);
    const header = Buffer.from(readExactly(source, 0, headerBytes));
    if (!header.subarray(0, magic.length).equals(magic)) {
      throw new BinaryFormatError('malformed', '.go.buildinfo does not begin with its mark');
    }
    const pointerBytes = header[14] ?? 0;
    const flags = header[15] ?? 0;
    if ((flags & 2) !== 0) {
      const version = inlineText(source, headerBytes);
      return parse(version.bytes, inlineText(source, version.end).bytes);
    }
    if (pointerBytes !== 4 && pointerBytes !== 8)
      throw new BinaryFormatError('malformed', `pointers of ${pointerBytes} bytes`);
    const pointers = { bytes: pointerBytes, littleEndian: (flags & 1) === 0 } as const;
    const word = (at: number): number => readWord(header, at, pointers);
    return parse(pointedText(elf, word(16), pointers), pointedText(elf, word(16 + pointerBytes), pointers));
  });
}

interface Pointers {
  readonly bytes: 4 | 8;
  readonly littleEndian: boolean;
}

/** A length as a varint (encoding/binary), then so many bytes. */
function inlineText(source: ByteSource, at: number): { readonly bytes: Buffer; readonly end: number } {
  const bytes = Buffer.from(source.read(at, 5));
  let length = 0;
  let used = 0;
  for (;;) {
    const byte = bytes[used];
    if (byte === undefined) throw new BinaryFormatError('truncated', 'a length of .go.buildinfo');
    length += (byte & 0x7f) * 2 ** (7 * used++);
    if (byte < 0x80) break;
  }
  if (length > mostTextBytes) throw new BinaryFormatError('too_large', `a text of ${length} bytes in .go.buildinfo`);
  const start = at + used;
  return { bytes: Buffer.from(readExactly(source, start, length)), end: start + length };
}

/** `address` is that of a Go string: a pointer and a length. */
function pointedText(elf: ElfFile, address: number, pointers: Pointers): Buffer {
  if (address === 0) return Buffer.alloc(0);
  const header = Buffer.from(readExactly(atAddress(elf, address), 0, 2 * pointers.bytes));
  const length = readWord(header, pointers.bytes, pointers);
  if (length > mostTextBytes) throw new BinaryFormatError('too_large', `a text of ${length} bytes in .go.buildinfo`);
  return Buffer.from(readExactly(atAddress(elf, readWord(header, 0, pointers)), 0, length));
}

function atAddress(elf: ElfFile, address: number): ByteSource {
  for (const { type, fileOffset, fileSize, virtualAddress } of elf.segments) {
    const offset = address - Number(virtualAddress);
    if (type === segmentTypes.load && offset >= 0 && offset < fileSize) {
      return new RangeSource(elf.source, fileOffset + offset, fileSize - offset);
    }
  }
  throw new BinaryFormatError('malformed', `.go.buildinfo points to ${address.toString(16)}, which is nowhere`);
}

function readWord(bytes: Buffer, at: number, { bytes: size, littleEndian }: Pointers): number {
  const [first, second] = littleEndian
    ? [bytes.readUInt32LE(at), size === 8 ? bytes.readUInt32LE(at + 4) : 0]
    : [bytes.readUInt32BE(at), size === 8 ? bytes.readUInt32BE(at + 4) : 0];
  if (size === 4) return first;
  return littleEndian ? second * 2 ** 32 + first : first * 2 ** 32 + second;
}

const markBytes = 16;

/** The module information lies between two marks of 16 bytes (cmd/go/internal/modload): lines of words, apart by tabs. */
function parse(goVersion: Buffer, marked: Buffer): GoBuildInfo {
  const isMarked = marked.length > 2 * markBytes && marked.at(-markBytes - 1) === 0x0a;
  const text = isMarked ? marked.toString('utf8', markBytes, marked.length - markBytes) : '';
  const settings = new Map<string, string>();
  let mainVersion = '';
  for (const line of text.split('\n', mostLines)) {
    const [word, name = '', version = ''] = line.split('\t', 3);
    if (word === 'mod') mainVersion = version;
    if (word !== 'build') continue;
    const equals = name.indexOf('=');
    if (equals > 0) settings.set(unquoted(name.slice(0, equals)), unquoted(name.slice(equals + 1)));
  }
  return { goVersion: goVersion.toString('utf8'), mainVersion, settings };
}

/** Keys and values with spaces, quotes or `=` are quoted as Go does (strconv.Quote). */
function unquoted(text: string): string {
  if (!text.startsWith('"')) return text.startsWith('`') ? text.slice(1, -1) : text;
  return text.slice(1, -1).replaceAll(/\\(["\\])/gu, '$1');
}
