import { asResult, BinaryFormatError } from '../binary-error.ts';
import type { ByteSource } from '../byte-source.ts';
import type { DwarfFile } from './dwarf-file.ts';
import { DwarfReader } from './dwarf-reader.ts';

/** Sections by what is in them; split DWARF has them with `.dwo` at the end of their names. */
export type SectionKind =
  | 'info'
  | 'abbrev'
  | 'line'
  | 'str'
  | 'line_str'
  | 'str_offsets'
  | 'addr'
  | 'ranges'
  | 'rnglists';

/** The sections that a unit's offsets point into, each opened when first needed. */
export class SectionSet {
  readonly file: DwarfFile;
  readonly isSplit: boolean;
  /** dwz's file, which strings may be in. */
  readonly supplementary: SectionSet | undefined;
  readonly #contributions: ReadonlyMap<SectionKind, ByteSource> | undefined;
  readonly #opened = new Map<SectionKind, ByteSource | undefined>();

  /** `contributions`: the parts of a package's sections that belong to one unit. */
  constructor(
    file: DwarfFile,
    options: {
      readonly isSplit?: boolean;
      readonly contributions?: ReadonlyMap<SectionKind, ByteSource> | undefined;
      readonly supplementary?: SectionSet | undefined;
    } = {},
  ) {
    this.file = file;
    this.isSplit = options.isSplit ?? false;
    this.supplementary = options.supplementary;
    this.#contributions = options.contributions;
  }

  find(kind: SectionKind): ByteSource | undefined {
    const contribution = this.#contributions?.get(kind);
    if (contribution !== undefined) return contribution;
    if (this.#opened.has(kind)) return this.#opened.get(kind);
    const opened = asResult(() => this.file.section(`.debug_${kind}${this.isSplit ? '.dwo' : ''}`));
    const section = opened.ok ? opened.value : undefined;
    this.#opened.set(kind, section);
    return section;
  }

  /** Throws `BinaryFormatError` where the file lacks it: something in it was referred to. */
  get(kind: SectionKind): ByteSource {
    const section = this.find(kind);
    if (section === undefined) throw new BinaryFormatError('malformed', `DWARF: no .debug_${kind}`);
    return section;
  }
}

/** 16 KiB: a few hundred lists of ranges, 2,000 addresses. */
const windowSize = 16 * 1024;

/** Reads here and there in a section, mostly near the last place: addresses, ranges, offsets of strings. */
export class SectionCursor {
  readonly section: ByteSource;
  readonly #littleEndian: boolean;
  #reader: DwarfReader;
  #start = 0;

  constructor(section: ByteSource, littleEndian: boolean) {
    this.section = section;
    this.#littleEndian = littleEndian;
    this.#reader = new DwarfReader(new Uint8Array(0), littleEndian);
  }

  /** A reader at `offset` with `length` bytes in it, unless the section ends before. Valid until the next call. */
  at(offset: number, length: number): DwarfReader {
    const within = offset - this.#start;
    if (!(within >= 0 && within + length <= this.#reader.end)) {
      if (!(offset >= 0 && offset <= this.section.size)) {
        throw new BinaryFormatError('truncated', `DWARF: offset ${offset} of ${this.section.size}`);
      }
      this.#reader = new DwarfReader(
        this.section.read(offset, Math.max(length, windowSize)).slice(),
        this.#littleEndian,
      );
      this.#start = offset;
    }
    this.#reader.position = offset - this.#start;
    return this.#reader;
  }
}
