import { BinaryFormatError } from '../binary-error.ts';
import { forms } from './dwarf-codes.ts';
import type { DwarfReader } from './dwarf-reader.ts';

/** What the sizes of values depend on. */
export interface UnitShape {
  readonly version: number;
  readonly addressSize: number;
  readonly is64BitFormat: boolean;
  readonly littleEndian: boolean;
}

/** Bytes of a value where its form alone tells; -1 where the value does. Throws `unsupported` for unknown forms: nothing after them can be read. */
export function fixedSizeOfForm(form: number, shape: UnitShape): number {
  switch (form) {
    case forms.implicitConst:
    case forms.flagPresent:
      return 0;
    case forms.data1:
    case forms.flag:
    case forms.ref1:
    case forms.strx1:
    case forms.addrx1:
      return 1;
    case forms.data2:
    case forms.ref2:
    case forms.strx2:
    case forms.addrx2:
      return 2;
    case forms.strx3:
    case forms.addrx3:
      return 3;
    case forms.data4:
    case forms.ref4:
    case forms.refSup4:
    case forms.strx4:
    case forms.addrx4:
      return 4;
    case forms.data8:
    case forms.ref8:
    case forms.refSup8:
    case forms.refSig8:
      return 8;
    case forms.data16:
      return 16;
    case forms.addr:
      return shape.addressSize;
    case forms.refAddr:
      // DWARF 2 gave references into other units the size of an address.
      return shape.version <= 2 ? shape.addressSize : offsetSize(shape);
    case forms.strp:
    case forms.secOffset:
    case forms.lineStrp:
    case forms.strpSup:
    case forms.gnuRefAlt:
    case forms.gnuStrpAlt:
      return offsetSize(shape);
    case forms.string:
    case forms.block:
    case forms.block1:
    case forms.block2:
    case forms.block4:
    case forms.exprloc:
    case forms.sdata:
    case forms.udata:
    case forms.refUdata:
    case forms.strx:
    case forms.addrx:
    case forms.loclistx:
    case forms.rnglistx:
    case forms.gnuAddrIndex:
    case forms.gnuStrIndex:
    case forms.indirect:
      return -1;
    default:
      throw new BinaryFormatError('unsupported', `DWARF: form 0x${form.toString(16)}`);
  }
}

function offsetSize(shape: UnitShape): number {
  return shape.is64BitFormat ? 8 : 4;
}

/** Moves over the value of a form. */
export function skipForm(reader: DwarfReader, form: number, shape: UnitShape): void {
  switch (form) {
    case forms.string:
      skipString(reader);
      return;
    case forms.block:
    case forms.exprloc:
      reader.take(reader.uleb());
      return;
    case forms.block1:
      reader.take(reader.u8());
      return;
    case forms.block2:
      reader.take(reader.u16());
      return;
    case forms.block4:
      reader.take(reader.u32());
      return;
    case forms.sdata:
    case forms.udata:
    case forms.refUdata:
    case forms.strx:
    case forms.addrx:
    case forms.loclistx:
    case forms.rnglistx:
    case forms.gnuAddrIndex:
    case forms.gnuStrIndex:
      reader.skipLeb();
      return;
    case forms.indirect:
      skipForm(reader, indirectForm(reader), shape);
      return;
    default:
      reader.take(fixedSizeOfForm(form, shape));
  }
}

/** Most inlined strings are short: a loop beats `indexOf`, which has a price per call. */
function skipString(reader: DwarfReader): void {
  const { bytes, end } = reader;
  let at = reader.position;
  while (at < end && bytes[at] !== 0) at++;
  reader.position = at;
  reader.take(1);
}

/** The form that `DW_FORM_indirect` has in the entry. It must not be indirect again, nor a constant that is not there. */
export function indirectForm(reader: DwarfReader): number {
  const form = reader.uleb();
  if (form === forms.indirect || form === forms.implicitConst) {
    throw new BinaryFormatError('malformed', 'DWARF: an indirect form of an indirect form');
  }
  return form;
}

/**
 * The number in a value: constants, offsets, indices, references as written, flags. Addresses of 8 bytes are signed. 0 for strings within the
 * entry and blocks, which are moved over.
 */
export function readNumber(reader: DwarfReader, form: number, constant: number, shape: UnitShape): number {
  switch (form) {
    case forms.implicitConst:
      return constant;
    case forms.flagPresent:
      return 1;
    case forms.sdata:
      return reader.sleb();
    case forms.udata:
    case forms.refUdata:
    case forms.strx:
    case forms.addrx:
    case forms.loclistx:
    case forms.rnglistx:
    case forms.gnuAddrIndex:
    case forms.gnuStrIndex:
      return reader.uleb();
    case forms.indirect:
      return readNumber(reader, indirectForm(reader), 0, shape);
    case forms.addr:
      return reader.address(shape.addressSize);
    case forms.data16:
    case forms.string:
    case forms.block:
    case forms.block1:
    case forms.block2:
    case forms.block4:
    case forms.exprloc:
      skipForm(reader, form, shape);
      return 0;
    default:
      return readFixed(reader, fixedSizeOfForm(form, shape));
  }
}

function readFixed(reader: DwarfReader, size: number): number {
  if (size === 1) return reader.u8();
  if (size === 2) return reader.u16();
  if (size === 3) return reader.u24();
  if (size === 4) return reader.u32();
  return reader.i64();
}

export function isAddressIndex(form: number): boolean {
  return form === forms.addrx || form === forms.gnuAddrIndex || (form >= forms.addrx1 && form <= forms.addrx4);
}

export function isStringIndex(form: number): boolean {
  return form === forms.strx || form === forms.gnuStrIndex || (form >= forms.strx1 && form <= forms.strx4);
}
