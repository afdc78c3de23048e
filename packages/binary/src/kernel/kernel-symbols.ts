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
 * Reads the text of `/proc/kallsyms`. Its symbols have no sizes: each reaches to the next one, the last of a module to the end of
 * the page after its own (as perf has it). Errors: `unsupported` where the kernel hides its addresses (kptr_restrict), `malformed`.
 */
export function readKernelSymbols(text: Uint8Array): BinaryResult<KernelSymbols> {
  return asResult(() => build(text, collect(text)));
}

interface Lines {
  readonly starts: Float64Array;
  /** In the text. */
  readonly nameStarts: Uint32Array;
  readonly nameEnds: Uint32Array;
  /** Global 2, local 1, weak 0. */
  readonly ranks: Uint32Array;
  readonly moduleIds: Uint32Array;
  readonly modules: readonly string[];
}

function collect(text: Uint8Array): Lines {
  // A line has some 44 bytes.
  const expected = Math.ceil(text.length / 40) + 16;
  const starts = new GrowableFloat64Array(expected);
  const nameStarts = new GrowableUint32Array(expected);
  const nameEnds = new GrowableUint32Array(expected);
  const ranks = new GrowableUint32Array(expected);
  const moduleIds = new GrowableUint32Array(expected);
  const modules = new Map<string, number>([['', 0]]);
  let hidden = 0;
  let lines = 0;
  for (let from = 0; from < text.length && starts.length < mostSymbols;) {
    let end = text.indexOf(0x0a, from);
    if (end < 0) end = text.length;
    const line = from;
    from = end + 1;
    lines++;
    // Sixteen digits, a space, a letter, a space, a name, and for a module a tab and [module].
    if (end - line < 20 || text[line + 16] !== 0x20 || text[line + 18] !== 0x20) continue;
    const rank = rankOfType(text[line + 17] ?? 0);
    if (rank === undefined) continue;
    const high = readHex8(text, line);
    const low = readHex8(text, line + 8);
    if (high === 0 && low === 0) hidden++;
    if (Number.isNaN(high) || Number.isNaN(low) || high < lowestHigh) continue;
    const nameStart = line + 19;
    const tab = text.subarray(nameStart, end).indexOf(0x09);
    let moduleId = 0;
    if (tab >= 0) {
      const module = Buffer.from(text.subarray(nameStart + tab + 2, end - 1)).toString('latin1');
      moduleId = modules.get(module) ?? modules.size;
      if (moduleId > 0xffff) continue;
      modules.set(module, moduleId);
    }
    starts.push((high - lowestHigh) * 2 ** 32 + low);
    nameStarts.push(nameStart);
    nameEnds.push(tab < 0 ? end : nameStart + tab);
    ranks.push(rank);
    moduleIds.push(moduleId);
  }
  if (starts.length === 0) {
    if (hidden > 0) throw new BinaryFormatError('unsupported', 'the kernel shows no addresses (kernel.kptr_restrict)');
    throw new BinaryFormatError('malformed', `no kernel function in ${lines} lines`);
  }
  return {
    starts: starts.view(),
    nameStarts: nameStarts.view(),
    nameEnds: nameEnds.view(),
    ranks: ranks.view(),
    moduleIds: moduleIds.view(),
    modules: [...modules.keys()],
  };
}

function build(text: Uint8Array, lines: Lines): KernelSymbols {
  const { starts, nameStarts, nameEnds, ranks, moduleIds } = lines;
  const nameOf = (line: number): Uint8Array => text.subarray(nameStarts[line], nameEnds[line]);
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
      const name = nameOf(line);
      if (name[0] === 0x5f && moduleIds[line] === 0) {
        if (isName(name, '_text') || (textStart === undefined && isName(name, '_stext'))) textStart = start;
        else if (isName(name, '_etext')) textEnd = start;
      }
      if (line !== best && isBetter(name, ranks[line] ?? 0, nameOf(best), ranks[best] ?? 0)) best = line;
    }
    const next = order[to];
    const nextStart = next === undefined ? Infinity : (starts[next] ?? 0);
    const sameModule = next !== undefined && moduleIds[next] === moduleIds[best];
    const pageEnd = (Math.ceil((start + 1) / pageBytes) + 1) * pageBytes;
    outStarts.push(start - lowest);
    outEnds.push((sameModule ? nextStart : Math.min(nextStart, pageEnd)) - lowest);
    outNames.push(names.add(text, nameStarts[best], nameEnds[best]));
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
