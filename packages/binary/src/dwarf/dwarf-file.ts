import type { ByteSource } from '../byte-source.ts';

/** One position in the source of an instruction. */
export interface SourceLine {
  /** Linkage (mangled) name where there is one, else the qualified name; empty where DWARF has a line but no function. */
  readonly function: string;
  /** As the compiler wrote it, joined with its directory; empty where the line table has none. */
  readonly file: string;
  /** From 1; 0 where the compiler says that the instruction belongs to no line. */
  readonly line: number;
  /** Of the function's declaration, in the file of the function; 0 unknown. */
  readonly startLine: number;
  /** Whether this function was inlined into the one that comes after it. */
  readonly isInlined: boolean;
}

/** The debugging sections of one ELF file. */
export interface DwarfFile {
  /**
   * Contents, uncompressed, by the name that the section has when it is not compressed (`.debug_info`). `undefined` where the file has none. Called once a
   * section, when it is first needed. What is large is read by pages through the source. Throws `BinaryFormatError` for a section that is
   * there but cannot be used, and what the operating system throws.
   */
  section(name: string): ByteSource | undefined;
  readonly is64Bit: boolean;
  readonly littleEndian: boolean;
  /** Executable address ranges [start, end) in ELF virtual addresses: what lies outside is dead code that a linker removed. Empty: not known. */
  readonly codeRanges: readonly (readonly [start: bigint, end: bigint])[];
  /** Bytes that the sections handed out hold in memory. */
  readonly byteLength: number;
  /** Told for files that `OpenDwarfOptions.split` opened, when they are needed no longer. */
  close?(): void;
}

/** Lines and inlined functions of one executable. */
export interface DwarfLines {
  /** Bytes resident, sections in memory included. Grows up to `budgetBytes` beside those. */
  readonly byteLength: number;
  /** How often DWARF that an address needed was damaged or of an unknown kind, so that the answer lacks it. */
  readonly damagedUnits: number;
  /** How often a split unit was needed and was not to be found: its lines are told, its functions are not. */
  readonly missingSplitUnits: number;
  /**
   * Where the instruction at this ELF virtual address comes from: the innermost inlined function first, as in pprof's `Location.line`.
   * `undefined` where DWARF does not know. Never throws for what is in the file; throws what the operating system throws for reading it.
   */
  find(address: bigint): readonly SourceLine[] | undefined;
}

export interface OpenDwarfOptions {
  /** The file that `.gnu_debugaltlink` names (dwz), or `.debug_sup`. */
  readonly supplementary?: DwarfFile | undefined;
  /** The `.dwp` file beside the executable. */
  readonly packageFile?: DwarfFile | undefined;
  /** Opens a `.dwo` file of split DWARF; `name` is as the compiler wrote it, relative to `directory`. Untrusted text. */
  readonly split?: ((name: string, directory: string, dwoId: bigint) => DwarfFile | undefined) | undefined;
  /** For the index, parsed units and names. Least recently used units go first; one unit is kept however large it is. */
  readonly budgetBytes: number;
}
