import { asResult, BinaryFormatError, type BinaryResult } from '../binary-error.ts';
import { FunctionTable, type FoundFunction } from '../function-table.ts';
import { GrowableFloat64Array, GrowableUint32Array } from '../growable-array.ts';
import { NameBlocks } from '../name-blocks.ts';
import { sortedOrder } from '../sorted-order.ts';

export interface KernelFunction extends FoundFunction {
  /** '' for the kernel itself, `bpf` for BPF programs, else the module's name. */
  readonly module: string;
}

/** Addresses of the kernel are in the upper half; what is below (per-CPU offsets, absolute symbols) is no code. */
const lowestHigh = 0xffe0_0000;
const base = BigInt(lowestHigh) << 32n;
/** Three times what a distribution's kernel with all modules has. */
const mostSymbols = 1_000_000;
const pageBytes = 4096;
/** A name has at most 512 bytes since Linux 6.1, a module's 56. */
const longestLine = 4096;
/** Of code at first; a distribution's kernel has some 60,000. */
const expectedSymbols = 16 * 1024;

/** The running kernel's functions, those of modules and BPF programs included, as `/proc/kallsyms` lists them. */
export class KernelSymbols {
  /** Address of `_text` (of `_stext` where there is no `_text`): what address randomisation moves; undefined where neither is listed. */
  readonly textStart: bigint | undefined;
  /** Address of `_etext`. */
  readonly textEnd: bigint | undefined;
  readonly #table: FunctionTable;
  readonly #modules: readonly string[];
  readonly #moduleIds: Uint16Array;

  constructor(
    table: FunctionTable,
    modules: readonly string[],
    moduleIds: Uint16Array,
    textStart: bigint | undefined,
    textEnd: bigint | undefined,
  ) {
    this.#table = table;
    this.#modules = modules;
    this.#moduleIds = moduleIds;
    this.textStart = textStart;
    this.textEnd = textEnd;
  }

  get length(): number {
    return this.#table.length;
  }

  /** Resident bytes. */
  get byteLength(): number {
    return this.#table.byteLength + this.#moduleIds.byteLength;
  }

  find(address: bigint): KernelFunction | undefined {
    const index = this.#table.indexAt(address);
    return index === undefined ? undefined : this.at(index);
  }

  /** In the order of addresses; throws a RangeError beyond `length`. */
  at(index: number): KernelFunction {
    return { ...this.#table.at(index), module: this.#modules[this.#moduleIds[index] ?? 0] ?? '' };
  }
}

/**
 * Reads the text of `/proc/kallsyms` (10 MB), which comes in pieces of any size; each is used up before the next is asked for. Its symbols have no sizes: each reaches to the next one, the last of a module to the end of
 * the page after its own (as perf has it). Errors: `unsupported` where the kernel hides its addresses (kptr_restrict), `malformed`.
 */
export function readKernelSymbols(pieces: Iterable<Uint8Array>): BinaryResult<KernelSymbols> {
  return asResult(() => build(collect(pieces)));
}

/** The code among the lines, as columns. */
interface Lines {
  readonly starts: Float64Array;
  /** Names one after the other. */
  readonly text: Uint8Array;
  /** Where each name ends; it begins where the one before ends. */
  readonly nameEnds: Uint32Array;
  /** Global 2, local 1, weak 0. */
  readonly ranks: Uint32Array;
  readonly moduleIds: Uint32Array;
  readonly modules: readonly string[];
}

function collect(pieces: Iterable<Uint8Array>): Lines {
  const code = new CodeLines();
  readLines(pieces, (bytes, from, end) => code.add(bytes, from, end));
  return code.finish();
}

/**
 * Calls `take` with each line, without its end: where it lies in bytes that are valid during the call. No view of each is made, since there are a hundred thousand. Longer
 * ones than any kernel prints are left out.
 */
function readLines(pieces: Iterable<Uint8Array>, take: (bytes: Uint8Array, from: number, end: number) => void): void {
  const cut = new Uint8Array(longestLine);
  let cutLength = 0;
  let isTooLong = false;
  for (const piece of pieces) {
    let from = 0;
    while (from < piece.length) {
      const newline = piece.indexOf(0x0a, from);
      const start = from;
      const end = newline < 0 ? piece.length : newline;
      from = end + 1;
      if (cutLength + end - start > longestLine) isTooLong = true;
      if (newline >= 0 && cutLength === 0 && !isTooLong) {
        take(piece, start, end);
        continue;
      }
      if (!isTooLong) {
        cut.set(piece.subarray(start, end), cutLength);
        cutLength += end - start;
      }
      if (newline < 0) continue;
      if (!isTooLong) take(cut, 0, cutLength);
      cutLength = 0;
      isTooLong = false;
    }
  }
  if (cutLength > 0 && !isTooLong) take(cut, 0, cutLength);
}

class CodeLines {
  readonly #starts = new GrowableFloat64Array(expectedSymbols);
  readonly #nameEnds = new GrowableUint32Array(expectedSymbols);
  readonly #ranks = new GrowableUint32Array(expectedSymbols);
  readonly #moduleIds = new GrowableUint32Array(expectedSymbols);
  readonly #modules = new Map<string, number>([['', 0]]);
  #text = new Uint8Array(expectedSymbols * 24);
  #textLength = 0;
  #hidden = 0;
  #lines = 0;

  /** A line: sixteen digits, a space, a letter, a space, a name, and for a module a tab and [module]. */
  add(bytes: Uint8Array, from: number, end: number): void {
    this.#lines++;
    if (end - from < 20 || bytes[from + 16] !== 0x20 || bytes[from + 18] !== 0x20) return;
    const rank = rankOfType(bytes[from + 17] ?? 0);
    if (rank === undefined || this.#starts.length === mostSymbols) return;
    const high = readHex8(bytes, from);
    const low = readHex8(bytes, from + 8);
    if (high === 0 && low === 0) this.#hidden++;
    if (Number.isNaN(high) || Number.isNaN(low) || high < lowestHigh) return;
    const nameEnd = this.#putName(bytes, from + 19, end);
    const module = nameEnd === end ? '' : Buffer.from(bytes.subarray(nameEnd + 2, end - 1)).toString('latin1');
    const moduleId = this.#modules.get(module) ?? this.#modules.size;
    if (moduleId > 0xffff) return;
    if (nameEnd < end) this.#modules.set(module, moduleId);
    this.#starts.push((high - lowestHigh) * 2 ** 32 + low);
    this.#textLength += nameEnd - from - 19;
    this.#nameEnds.push(this.#textLength);
    this.#ranks.push(rank);
    this.#moduleIds.push(moduleId);
  }

  /** Throws a BinaryFormatError where no line is code. */
  finish(): Lines {
    if (this.#starts.length === 0) {
      const isHidden = this.#hidden > 0;
      if (isHidden) throw new BinaryFormatError('unsupported', 'the kernel shows no addresses (kernel.kptr_restrict)');
      throw new BinaryFormatError('malformed', `no kernel function in ${this.#lines} lines`);
    }
    return {
      starts: this.#starts.view(),
      text: this.#text,
      nameEnds: this.#nameEnds.view(),
      ranks: this.#ranks.view(),
      moduleIds: this.#moduleIds.view(),
      modules: [...this.#modules.keys()],
    };
  }

  /** Behind the names so far, where it counts once `#textLength` says so. Answers where it ends in `bytes`: at a tab or at `end`. */
  #putName(bytes: Uint8Array, from: number, end: number): number {
    const most = this.#textLength + end - from;
    if (most > this.#text.length) {
      const wider = new Uint8Array(Math.max(most, this.#text.length * 2));
      wider.set(this.#text.subarray(0, this.#textLength));
      this.#text = wider;
    }
    const text = this.#text;
    let to = this.#textLength;
    for (let at = from; at < end; at++) {
      const byte = bytes[at] ?? 0;
      if (byte === 0x09) return at;
      text[to++] = byte;
    }
    return end;
  }
}

function build(lines: Lines): KernelSymbols {
  const { starts, text, nameEnds, ranks, moduleIds } = lines;
  const nameOf = (line: number): Uint8Array => text.subarray(nameEnds[line - 1] ?? 0, nameEnds[line]);
  const order = sortedOrder(starts);
  const lowest = starts[order[0] ?? 0] ?? 0;
  const outStarts = new GrowableFloat64Array(order.length);
  const outEnds = new GrowableFloat64Array(order.length);
  const outNames = new GrowableUint32Array(order.length);
  const outModules = new GrowableUint32Array(order.length);
  const names = new NameBlocks();
  let textStart: number | undefined;
  let textEnd: number | undefined;
  for (let from = 0, to = 0; from < order.length; from = to) {
    let best = order[from] ?? 0;
    const start = starts[best] ?? 0;
    for (to = from; to < order.length && starts[order[to] ?? 0] === start; to++) {
      const line = order[to] ?? 0;
      if (text[nameEnds[line - 1] ?? 0] === 0x5f && moduleIds[line] === 0) {
        const name = nameOf(line);
        if (isName(name, '_text') || (textStart === undefined && isName(name, '_stext'))) textStart = start;
        else if (isName(name, '_etext')) textEnd = start;
      }
      if (line !== best && isBetter(nameOf(line), ranks[line] ?? 0, nameOf(best), ranks[best] ?? 0)) best = line;
    }
    const next = order[to];
    const nextStart = next === undefined ? Infinity : (starts[next] ?? 0);
    const sameModule = next !== undefined && moduleIds[next] === moduleIds[best];
    const pageEnd = (Math.ceil((start + 1) / pageBytes) + 1) * pageBytes;
    outStarts.push(start - lowest);
    outEnds.push((sameModule ? nextStart : Math.min(nextStart, pageEnd)) - lowest);
    outNames.push(names.add(text, nameEnds[best - 1] ?? 0, nameEnds[best]));
    outModules.push(moduleIds[best] ?? 0);
  }
  const table = new FunctionTable(
    base + BigInt(lowest),
    outStarts.view().slice(),
    outEnds.view(),
    outNames.view().slice(),
    names,
  );
  const absolute = (relative: number | undefined): bigint | undefined =>
    relative === undefined ? undefined : base + BigInt(relative);
  const modulesOf = Uint16Array.from(outModules.view());
  return new KernelSymbols(table, lines.modules, modulesOf, absolute(textStart), absolute(textEnd));
}

/** Global over local over weak, then fewer leading underscores, then the one listed first. */
function isBetter(name: Uint8Array, rank: number, than: Uint8Array, thanRank: number): boolean {
  if (rank !== thanRank) return rank > thanRank;
  let i = 0;
  while (name[i] === 0x5f && than[i] === 0x5f) i++;
  return name[i] !== 0x5f && than[i] === 0x5f;
}

/** Letters as `nm` has them; data, read-only data, per-CPU and absolute symbols are no functions. */
function rankOfType(letter: number): number | undefined {
  switch (letter) {
    case 0x54: // T
      return 2;
    case 0x74: // t
      return 1;
    case 0x57: // W
    case 0x77: // w
      return 0;
    default:
      return undefined;
  }
}

/** Eight hex digits, NaN for anything else. */
function readHex8(text: Uint8Array, at: number): number {
  let value = 0;
  for (let i = 0; i < 8; i++) {
    const code = text[at + i] ?? 0;
    const digit = code <= 0x39 ? code - 0x30 : (code | 0x20) - 0x61 + 10;
    if (digit < 0 || digit > 15 || (code > 0x39 && digit < 10)) return Number.NaN;
    value = value * 16 + digit;
  }
  return value;
}

function isName(name: Uint8Array, text: string): boolean {
  return name.length === text.length && Buffer.from(name).toString('latin1') === text;
}
