import { BinaryFormatError } from '../binary-error.ts';
import type { ByteSource } from '../byte-source.ts';
import { attributes, forms, tags } from './dwarf-codes.ts';
import { DwarfReader } from './dwarf-reader.ts';
import { fixedSizeOfForm, type UnitShape } from './forms.ts';

/** What a walk over the entries of a unit does with one. */
export const roles = { other: 0, function: 1, inlined: 2, block: 3, scope: 4, skippable: 5 } as const;
export type Role = (typeof roles)[keyof typeof roles];

/** The layout of entries of one abbreviation code. */
export interface Abbreviation {
  readonly tag: number;
  readonly hasChildren: boolean;
  /** Triples: attribute, form, constant of `DW_FORM_implicit_const`. */
  readonly specifications: readonly number[];
  readonly role: Role;
  /** In bytes, of all values together; -1 where an entry must be read to know. */
  readonly fixedSize: number;
  /** Where `DW_AT_sibling` is within the values, if everything before it has a fixed size; -1 otherwise. */
  readonly siblingAt: number;
  /** Form of `DW_AT_sibling`; 0 without one. */
  readonly siblingForm: number;
  /** A function that has its name here and not by reference, but no linkage name: it is told apart by its namespace. */
  readonly isQualified: boolean;
}

export interface AbbreviationTable {
  get(code: number): Abbreviation | undefined;
  readonly byteLength: number;
  /** Of the section. */
  readonly bytesRead: number;
}

/** Abbreviations with more attributes do not exist: DWARF has about 150. */
const mostAttributes = 1024;
/** gcc and clang write some hundreds a unit, dwz some thousands for a file. Its own bytes in the file bound the rest. */
const mostAbbreviations = 1_000_000;
const smallestRead = 4 * 1024;
/** A table of 64 MiB would be one of ten million abbreviations. */
const largestTable = 64 * 1024 * 1024;

/**
 * The table of abbreviations at `offset` of `.debug_abbrev`, for units of this shape (it says how many bytes an address or offset has). With `only`, just
 * that code: units name their own entry first, so most of the table need not be read to know where a unit's code is.
 */
export function readAbbreviations(
  section: ByteSource,
  offset: number,
  shape: UnitShape,
  only?: number,
): AbbreviationTable {
  // How long a table is, is not written anywhere: read twice as much until its end is found.
  for (let size = only === undefined ? 4 * smallestRead : smallestRead; ; size *= 4) {
    const bytes = section.read(offset, size);
    const isAll = offset + bytes.length >= section.size || size >= largestTable;
    const reader = new DwarfReader(bytes, shape.littleEndian);
    try {
      return parseTable(reader, shape, only);
    } catch (error) {
      if (isAll || !(error instanceof BinaryFormatError && error.code === 'truncated')) throw error;
    }
  }
}

function parseTable(reader: DwarfReader, shape: UnitShape, only: number | undefined): AbbreviationTable {
  const dense: (Abbreviation | undefined)[] = [undefined];
  const sparse = new Map<number, Abbreviation>();
  let byteLength = 256;
  for (let count = 0; ; count++) {
    const code = reader.uleb();
    if (code === 0) break;
    if (count >= mostAbbreviations) throw new BinaryFormatError('too_large', 'DWARF: abbreviations');
    const abbreviation = parseAbbreviation(reader, shape);
    byteLength += 144 + 8 * abbreviation.specifications.length;
    if (code === dense.length) dense.push(abbreviation);
    else sparse.set(code, abbreviation);
    if (code === only) break;
  }
  return {
    byteLength,
    bytesRead: reader.position,
    get: (code) => (code < dense.length ? dense[code] : sparse.get(code)),
  };
}

/** Of the abbreviation that is being read: one that grows anew for each is garbage three times its size. */
const specificationsRead: number[] = [];

function parseAbbreviation(reader: DwarfReader, shape: UnitShape): Abbreviation {
  const tag = reader.uleb();
  const hasChildren = reader.u8() !== 0;
  const specifications = specificationsRead;
  specifications.length = 0;
  let [fixedSize, siblingAt, siblingForm] = [0, -1, 0];
  let [hasName, hasReference] = [false, false];
  for (;;) {
    const attribute = reader.uleb();
    const form = reader.uleb();
    const constant = form === forms.implicitConst ? reader.sleb() : 0;
    if (attribute === 0 && form === 0) break;
    if (specifications.length >= 3 * mostAttributes) throw new BinaryFormatError('malformed', 'DWARF: attributes');
    specifications.push(attribute, form, constant);
    if (attribute === attributes.sibling) {
      siblingAt = fixedSize;
      siblingForm = form;
    } else if (attribute === attributes.name) hasName = true;
    else if (isNameElsewhere(attribute)) hasReference = true;
    const size = fixedSizeOfForm(form, shape);
    fixedSize = size < 0 || fixedSize < 0 ? -1 : fixedSize + size;
  }
  return {
    tag,
    hasChildren,
    // Not in an Int32Array: there are thousands of them in a file, each of which would be a piece of malloc's.
    specifications: specifications.slice(),
    role: roleOf(tag),
    fixedSize,
    siblingAt,
    siblingForm,
    isQualified: tag === tags.subprogram && hasName && !hasReference,
  };
}

function isNameElsewhere(attribute: number): boolean {
  return (
    attribute === attributes.abstractOrigin ||
    attribute === attributes.specification ||
    attribute === attributes.linkageName ||
    attribute === attributes.mipsLinkageName
  );
}

function roleOf(tag: number): Role {
  switch (tag) {
    case tags.subprogram:
      return roles.function;
    case tags.inlinedSubroutine:
      return roles.inlined;
    case tags.lexicalBlock:
      return roles.block;
    case tags.namespace:
    case tags.classType:
    case tags.structureType:
    case tags.unionType:
    case tags.interfaceType:
    case tags.module:
    case tags.enumerationType:
      return roles.scope;
    case tags.compileUnit:
    case tags.partialUnit:
    case tags.skeletonUnit:
    case tags.typeUnit:
      return roles.other;
    default:
      // Types, variables, parameters, call sites: no function with code is below these.
      return roles.skippable;
  }
}
