import { asResult, BinaryFormatError, type BinaryResult } from '../binary-error.ts';
import { CodeRanges } from './code-ranges.ts';
import type { DwarfFile, DwarfLines, OpenDwarfOptions, SourceLine } from './dwarf-file.ts';
import type { DwarfUnit } from './dwarf-unit.ts';
import { DwarfUnits } from './dwarf-units.ts';
import { FunctionNames } from './function-names.ts';
import { type FunctionTree, readFunctionTree } from './function-tree.ts';
import { type LineTable, readLineTable } from './line-table.ts';
import { LruCache } from '../lru-cache.ts';
import { isFlat, qualifierIn } from './scope-names.ts';
import { ScratchBuffer } from './scratch-buffer.ts';
import { SectionSet } from './section-set.ts';
import { dwoIdOf, type SplitUnit, SplitUnits } from './split-units.ts';
import { readUnitRanges, type UnitRanges } from './unit-ranges.ts';

/** The bytes of a unit are held while it is walked. Those of Rust and of LTO have tens of megabytes; one larger than this is not walked. */
const largestUnitBytes = 512 * 1024 * 1024;
/** An inlined function in another, and so on; the compilers stop at some tens. */
const mostInlined = 512;

/** A unit that addresses were looked up in. */
interface ParsedUnit {
  readonly units: DwarfUnits;
  readonly unit: DwarfUnit;
  readonly index: number;
  readonly tree: FunctionTree;
  readonly lines: LineTable | undefined;
  readonly split: SplitUnit | undefined;
}

/**
 * Opens the DWARF of a file (versions 2 to 5, split and shared with dwz as well). Reads where each unit has code; the unit itself is parsed when an address in it is
 * asked for. `undefined` where the file has no `.debug_info`. Errors: `malformed`, `truncated`, `io`.
 */
export function openDwarf(file: DwarfFile, options: OpenDwarfOptions): BinaryResult<DwarfLines | undefined> {
  return asResult(() => {
    const info = file.section('.debug_info');
    if (info === undefined || info.size === 0) return undefined;
    return new UnitLines(file, options);
  });
}

class UnitLines implements DwarfLines {
  readonly #file: DwarfFile;
  readonly #options: OpenDwarfOptions;
  readonly #code: CodeRanges;
  readonly #units: DwarfUnits;
  readonly #ranges: UnitRanges;
  readonly #splits: SplitUnits;
  readonly #names: FunctionNames;
  readonly #parsed: LruCache<number, ParsedUnit>;
  readonly #paths: LruCache<string, string>;
  readonly #scratch = new ScratchBuffer();
  /** Not tried again. */
  readonly #unreadable = new Set<number>();
  #damaged: number;

  constructor(file: DwarfFile, options: OpenDwarfOptions) {
    this.#file = file;
    this.#options = options;
    this.#code = new CodeRanges(file);
    const { supplementary, budgetBytes } = options;
    const shared =
      supplementary === undefined ? undefined : new DwarfUnits(new SectionSet(supplementary), 1, budgetBytes / 16);
    this.#units = new DwarfUnits(new SectionSet(file, { supplementary: shared?.sections }), 0, budgetBytes / 8, shared);
    this.#ranges = readUnitRanges(this.#units, this.#code);
    this.#damaged = this.#ranges.damagedUnits;
    this.#splits = new SplitUnits(options);
    this.#names = new FunctionNames(budgetBytes / 8, (units, index, unit, offset) =>
      isFlat(unit) ? '' : this.#qualifierOf(units, index, unit, offset),
    );
    this.#paths = new LruCache(budgetBytes / 16);
    const left = budgetBytes * (10 / 16) - this.#ranges.byteLength - this.#units.offsets.byteLength;
    this.#parsed = new LruCache(Math.max(left, 0), ({ split }) => split?.file?.close?.());
  }

  get byteLength(): number {
    const { supplementary, packageFile } = this.#options;
    return (
      this.#file.byteLength +
      (supplementary?.byteLength ?? 0) +
      (packageFile?.byteLength ?? 0) +
      this.#units.byteLength +
      (this.#units.supplementary?.byteLength ?? 0) +
      this.#ranges.byteLength +
      this.#parsed.byteLength +
      this.#names.byteLength +
      this.#paths.byteLength +
      this.#scratch.byteLength
    );
  }

  get missingSplitUnits(): number {
    return this.#splits.missing;
  }

  get damagedUnits(): number {
    return this.#damaged;
  }

  find(address: bigint): readonly SourceLine[] | undefined {
    const at = Number(this.#file.is64Bit ? BigInt.asIntN(64, address) : address);
    const found = this.#findIn(this.#ranges.candidates(at), at);
    if (found !== undefined || this.#ranges.unplaced.length === 0) return found;
    this.#placeAll();
    return this.#findIn(this.#ranges.candidates(at), at);
  }

  /** Of the units that claim the address, the one that has a function there; else one that has a line. */
  #findIn(candidates: readonly number[], address: number): readonly SourceLine[] | undefined {
    let lineOnly: readonly SourceLine[] | undefined;
    for (const index of candidates) {
      const parsed = this.#parse(index);
      if (parsed === undefined) continue;
      const innermost = parsed.tree.map.find(address);
      if (innermost >= 0) return this.#chain(parsed, index, innermost, address);
      const row = parsed.lines?.rows.find(address) ?? -1;
      if (row >= 0)
        lineOnly ??= [{ function: '', ...this.#position(parsed, index, row), startLine: 0, isInlined: false }];
    }
    return lineOnly;
  }

  #chain(parsed: ParsedUnit, index: number, innermost: number, address: number): readonly SourceLine[] {
    const { tree, lines, units, unit } = parsed;
    const row = lines?.rows.find(address) ?? -1;
    let position = this.#position(parsed, index, row);
    const chain: SourceLine[] = [];
    for (let item = innermost; item >= 0 && chain.length < mostInlined; item = tree.callers[item] ?? -1) {
      const offset = unit.header.offset + (tree.entries[item] ?? 0);
      const name = this.#names.find(units, parsed.index, unit, offset);
      if (name.isDamaged) this.#damaged++;
      chain.push({
        function: name.name,
        ...position,
        startLine: name.startLine,
        isInlined: (tree.callers[item] ?? -1) >= 0,
      });
      position = {
        file: this.#path(parsed, index, tree.callFiles[item] ?? 0),
        line: tree.callLines[item] ?? 0,
      };
    }
    return chain;
  }

  #position(parsed: ParsedUnit, index: number, row: number): { file: string; line: number } {
    if (row < 0 || parsed.lines === undefined) return { file: '', line: 0 };
    const { fileAndLine } = parsed.lines;
    return {
      file: this.#path(parsed, index, fileAndLine[2 * row] ?? 0),
      line: fileAndLine[2 * row + 1] ?? 0,
    };
  }

  #path(parsed: ParsedUnit, index: number, file: number): string {
    const { lines, unit } = parsed;
    if (lines === undefined) return '';
    const key = `${index} ${file}`;
    const known = this.#paths.get(key);
    if (known !== undefined) return known;
    const path = lines.files.path(file, unit.skeleton ?? unit, lines.section);
    this.#paths.set(key, path, 128 + 2 * path.length);
    return path;
  }

  /** `undefined` where the unit is damaged from its start; counted when first met. */
  #parse(index: number): ParsedUnit | undefined {
    const known = this.#parsed.get(index);
    if (known !== undefined) return known;
    if (this.#unreadable.has(index)) return undefined;
    try {
      return this.#parseUnit(index);
    } catch (error) {
      if (!(error instanceof BinaryFormatError)) throw error;
      this.#damaged++;
      this.#unreadable.add(index);
      return undefined;
    }
  }

  #parseUnit(index: number): ParsedUnit {
    const skeleton = this.#units.unit(index);
    const dwoId = dwoIdOf(skeleton);
    const split = dwoId === undefined ? undefined : this.#splits.find(skeleton, index, dwoId);
    const units = split?.units ?? this.#units;
    const unit = split?.unit ?? skeleton;
    const { header } = unit;
    const size = header.end - header.offset;
    if (size > largestUnitBytes) throw new BinaryFormatError('too_large', `DWARF: a unit of ${size} bytes`);
    const bytes = this.#scratch.load(units.info, header.offset, size);
    const tree = readFunctionTree(unit, bytes, units.abbreviations(header), this.#code);
    const lineOffset = unit.lineTableOffset;
    const lines = asResult(() =>
      lineOffset === undefined ? undefined : readLineTable(unit, lineOffset, this.#code, this.#scratch),
    );
    if (!lines.ok || tree.isDamaged || lines.value?.isDamaged === true) this.#damaged++;
    const table = lines.ok ? lines.value : undefined;
    const parsed = { units, unit, index: split?.index ?? index, tree, lines: table, split };
    const splitBytes = split === undefined ? 0 : split.units.byteLength + (split.file?.byteLength ?? 0);
    this.#parsed.set(index, parsed, tree.byteLength + (table?.byteLength ?? 0) + splitBytes);
    return parsed;
  }

  #qualifierOf(units: DwarfUnits, index: number, unit: DwarfUnit, offset: number): string {
    const own = units === this.#units ? this.#parsed.get(index)?.tree : undefined;
    if (own !== undefined) return qualifierIn(own, units, unit, offset);
    const { header } = unit;
    const size = Math.min(header.end - header.offset, largestUnitBytes);
    const bytes = this.#scratch.load(units.info, header.offset, size);
    return qualifierIn(readFunctionTree(unit, bytes, units.abbreviations(header), this.#code), units, unit, offset);
  }

  /** Walks the units that do not say where their code is; what old compilers and assemblers write. Once. */
  #placeAll(): void {
    // Units that share one line table would be read over and over.
    let bytesLeft = 2 * (this.#units.info.size + (this.#units.sections.find('line')?.size ?? 0));
    for (const index of this.#ranges.unplaced) {
      const parsed = this.#parse(index);
      const { header } = parsed?.unit ?? { header: { offset: 0, end: 0 } };
      bytesLeft -= header.end - header.offset + (parsed?.lines?.size ?? 0);
      if (bytesLeft < 0) {
        this.#damaged++;
        break;
      }
      const added = asResult(() => {
        parsed?.tree.map.visit((start, end) => this.#ranges.add(start, end, index));
        parsed?.lines?.rows.visit((start, end) => this.#ranges.add(start, end, index));
      });
      if (!added.ok) this.#damaged++;
    }
    this.#ranges.unplaced = new Uint32Array(0);
    this.#ranges.sort();
  }
}
