import { GrowableFloat64Array, GrowableUint32Array } from '../growable-array.ts';
import { CfiCursor } from './cfi-cursor.ts';
import type { CfiSection } from './cfi-section.ts';
import { pointerEncodings, readEncodedPointer, readEncodedValue } from './encoded-pointer.ts';

/** Linkers merge equal ones: a large program has hundreds. The limit keeps a hostile file from filling the memory with them. */
const mostCommons = 65_536;

/** What the FDEs of one CIE share. */
export interface CommonEntry {
  readonly bytes: Uint8Array;
  readonly codeAlign: number;
  readonly dataAlign: number;
  readonly pointerEncoding: number;
  /** Augmentation `z`: the FDEs tell the length of their augmentation. */
  readonly hasAugmentationLength: boolean;
  /** Augmentation `S`: a signal handler returns to this code. */
  readonly isSignalFrame: boolean;
  readonly programStart: number;
  readonly programEnd: number;
}

/** The FDEs of a file as columns, in the order of the file. Addresses are ELF virtual addresses. */
export class CfiEntries {
  readonly commons: CommonEntry[] = [];
  readonly starts = new GrowableFloat64Array();
  readonly ends = new GrowableFloat64Array();
  /** Index into `commons`. */
  readonly owners = new GrowableUint32Array();
  /** Where in the section the instructions of each begin and end. */
  readonly programStarts = new GrowableUint32Array();
  readonly programEnds = new GrowableUint32Array();
  /** Entries that were not understood. */
  skipped = 0;
  readonly #wordBytes: 4 | 8;

  /** `wordBytes` of the file's addresses. */
  constructor(wordBytes: 4 | 8) {
    this.#wordBytes = wordBytes;
  }

  /** Adds the entries of a section; it may end anywhere, and what is damaged is skipped and counted. */
  add(section: CfiSection): void {
    const cursor = new CfiCursor(section.bytes);
    const known = new Map<number, number>();
    // In .debug_frame a CIE may stand behind its FDEs, so all of them are read first.
    if (section.isDebugFrame) this.#walk(section, cursor, known, 'commons');
    this.#walk(section, cursor, known, section.isDebugFrame ? 'descriptions' : 'both');
  }

  #walk(
    section: CfiSection,
    cursor: CfiCursor,
    known: Map<number, number>,
    part: 'both' | 'commons' | 'descriptions',
  ): void {
    let at = 0;
    while (at + 4 <= section.bytes.length) {
      const entry = at;
      cursor.seek(at, section.bytes.length);
      let length = cursor.u32();
      const is64Bit = length === 0xffffffff;
      if (is64Bit) length = cursor.u64();
      // An entry of length 0 ends .eh_frame; linkers also leave one where they dropped an entry of .debug_frame.
      if (length === 0 && !section.isDebugFrame) return;
      const body = cursor.at;
      const end = body + length;
      if (cursor.failed || end > section.bytes.length) {
        this.skipped++;
        return;
      }
      at = end;
      if (length < 4) continue;
      cursor.seek(body, end);
      const id = is64Bit && section.isDebugFrame ? cursor.s64() : cursor.u32();
      const isCommon = section.isDebugFrame ? id === 0xffffffff || id < 0 : id === 0;
      if (isCommon) {
        if (part === 'descriptions') continue;
        const common = readCommonEntry(cursor, section, this.#wordBytes);
        if (common === undefined || this.commons.length === mostCommons) this.skipped++;
        else known.set(entry, this.commons.push(common) - 1);
      } else if (part !== 'commons') {
        const owner = known.get(section.isDebugFrame ? id : body - id);
        if (owner === undefined || !this.#addDescription(cursor, section, owner)) this.skipped++;
      }
    }
  }

  /** Frame description entry; false where it is damaged. */
  #addDescription(cursor: CfiCursor, section: CfiSection, owner: number): boolean {
    const common = this.commons[owner];
    if (common === undefined) return false;
    const start = readEncodedPointer(cursor, common.pointerEncoding, section.address, this.#wordBytes);
    const length = readEncodedValue(cursor, common.pointerEncoding, this.#wordBytes);
    if (common.hasAugmentationLength) cursor.skip(cursor.uleb());
    if (cursor.failed || start < 0 || length < 0) return false;
    // What the linker dropped has length 0 or, in old files, start 0: no description of living code.
    if (length === 0 || start === 0) return true;
    this.starts.push(start);
    this.ends.push(start + length);
    this.owners.push(owner);
    this.programStarts.push(cursor.at);
    this.programEnds.push(cursor.end);
    return true;
  }
}

/** DWARF 5, 6.4.1, and LSB core specification, "The .eh_frame section". Undefined for what is damaged or of an unknown kind. */
function readCommonEntry(cursor: CfiCursor, section: CfiSection, wordBytes: 4 | 8): CommonEntry | undefined {
  const version = cursor.u8();
  if (version !== 1 && version !== 3 && version !== 4) return undefined;
  let augmentation = '';
  for (let byte = cursor.u8(); byte !== 0; byte = cursor.u8()) {
    augmentation += String.fromCharCode(byte);
    if (augmentation.length > 8) return undefined;
  }
  if (version === 4) {
    const addressBytes = cursor.u8();
    const segmentBytes = cursor.u8();
    if (addressBytes !== wordBytes || segmentBytes !== 0) return undefined;
  }
  const codeAlign = cursor.uleb();
  const dataAlign = cursor.sleb();
  // The column of the return address is the architecture's; nobody uses another.
  if (version === 1) cursor.skip(1);
  else cursor.uleb();
  let pointerEncoding: number = pointerEncodings.absolute;
  let isSignalFrame = false;
  const hasAugmentationLength = augmentation.startsWith('z');
  if (hasAugmentationLength) {
    const length = cursor.uleb();
    const data = cursor.at;
    cursor.skip(length);
    const isCut = cursor.failed;
    const [programStart, end] = [cursor.at, cursor.end];
    cursor.seek(data, programStart);
    for (const letter of augmentation.slice(1)) {
      if (letter === 'R') pointerEncoding = cursor.u8();
      else if (letter === 'S') isSignalFrame = true;
      else if (letter === 'L') cursor.skip(1);
      else if (letter === 'P') readEncodedValue(cursor, cursor.u8(), wordBytes);
      // B: return addresses are signed with key B; G: the stack is tagged. Neither moves anything. After an unknown letter
      // the length still says where the instructions are, but not what the letters behind it mean.
      else if (letter !== 'B' && letter !== 'G') return undefined;
    }
    if (isCut || cursor.failed) return undefined;
    cursor.seek(programStart, end);
  } else if (augmentation !== '') {
    return undefined;
  }
  if (cursor.failed || codeAlign === 0 || codeAlign > 64 || Math.abs(dataAlign) > 64) return undefined;
  return {
    bytes: section.bytes,
    codeAlign,
    dataAlign,
    pointerEncoding,
    hasAugmentationLength,
    isSignalFrame,
    programStart: cursor.at,
    programEnd: cursor.end,
  };
}
