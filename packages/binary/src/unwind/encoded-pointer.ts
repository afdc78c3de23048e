import type { CfiCursor } from './cfi-cursor.ts';

/** DW_EH_PE_*: the value's format in the low nibble, what it counts from in the high one. LSB core specification, "DWARF extensions". */
export const pointerEncodings = { absolute: 0x00, omit: 0xff } as const;

const [formatMask, applicationMask, pcRelative, indirect] = [0x0f, 0x70, 0x10, 0x80];

/**
 * A pointer of `wordBytes` in encoding `encoding`; `base` is the ELF virtual address of the cursor's first byte. Sets the cursor's `failed` for
 * what no linker writes for code: indirect, relative to text, data or function, aligned.
 */
export function readEncodedPointer(cursor: CfiCursor, encoding: number, base: number, wordBytes: 4 | 8): number {
  const at = cursor.at;
  const value = readEncodedValue(cursor, encoding, wordBytes);
  const application = encoding & applicationMask;
  if ((encoding & indirect) !== 0 || (application !== 0 && application !== pcRelative)) cursor.failed = true;
  const address = application === pcRelative ? base + at + value : value;
  // Sums of 32-bit files wrap.
  return wordBytes === 4 ? address >>> 0 : address;
}

/** Only the value, as for an FDE's length, which has the format of its start but counts from nothing. */
export function readEncodedValue(cursor: CfiCursor, encoding: number, wordBytes: 4 | 8): number {
  switch (encoding & formatMask) {
    case 0x00:
      return wordBytes === 4 ? cursor.u32() : cursor.u64();
    case 0x04:
      return cursor.u64();
    case 0x01:
      return cursor.uleb();
    case 0x02:
      return cursor.u16();
    case 0x03:
      return cursor.u32();
    case 0x09:
      return cursor.sleb();
    case 0x0a:
      return cursor.s16();
    case 0x0b:
      return cursor.s32();
    case 0x0c:
      return cursor.s64();
    default:
      cursor.failed = true;
      return 0;
  }
}
