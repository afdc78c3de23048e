import { asResult, BinaryFormatError, type BinaryResult } from '../binary-error.ts';
import { type ElfFile, segmentFlags, segmentTypes } from '../elf/elf-file.ts';
import { sortedOrder } from '../sorted-order.ts';
import { CfaProgram } from './cfa-program.ts';
import { CfiEntries } from './cfi-entries.ts';
import { readCfiSections } from './cfi-section.ts';
import {
  unwindFlagGo,
  unwindFlagTracksRbx,
  unwindKindFpFrame,
  unwindKindInvalid,
  unwindMaxPages,
  unwindPageShift,
} from './generated/unwind-abi.ts';
import type { GrowableFloat64Array } from '../growable-array.ts';
import { RowEncoder } from './row-encoder.ts';
import { RowWriter } from './row-writer.ts';
import { type DescribedCode, findSpecialCode, type SpecialCode } from './special-code.ts';
import { addStandardFunction } from './standard-prologue.ts';
import { type UnwindArchitecture, unwindArchitectureOf } from './unwind-architecture.ts';
import { UnwindTable } from './unwind-table.ts';

const pageBytes = 2 ** unwindPageShift;
/** Compilers align functions to 16 bytes: a hole up to 15 is padding, and the row before it goes on. */
const widestPadding = 15;
/** 64 MB of rows, eight times those of libLLVM. */
const mostRows = 8 * 1024 * 1024;

/**
 * Makes the unwind table of an executable from `.eh_frame` and `.debug_frame`. Errors: `unsupported` (neither x86-64, i386 nor 64-bit AArch64,
 * little-endian), `malformed` (no code), `too_large`, `io`. A file without call frame information gives a table of one gap.
 */
export function readUnwindTable(elf: ElfFile): BinaryResult<UnwindTable> {
  return asResult(() => {
    const architecture = architectureOf(elf);
    const text = textRange(elf);
    const entries = new CfiEntries(architecture.wordBytes);
    for (const section of readCfiSections(elf)) entries.add(section);
    const special = findSpecialCode(elf, describe(entries, text));
    const flags = special.some(({ op }) => op === unwindKindFpFrame) ? unwindFlagGo : 0;
    const encoder = new RowEncoder(architecture, false);
    const table = build(elf, architecture, text, entries, special, encoder, flags);
    if (!encoder.needsRbx) return table;
    const tracking = new RowEncoder(architecture, true);
    return build(elf, architecture, text, entries, special, tracking, flags | unwindFlagTracksRbx);
  });
}

function architectureOf(elf: ElfFile): UnwindArchitecture {
  const architecture = unwindArchitectureOf(elf.machine);
  // x32 has 64-bit registers and 32-bit files; nobody runs it.
  if (architecture !== undefined && elf.littleEndian && elf.is64Bit === (architecture.wordBytes === 8))
    return architecture;
  throw new BinaryFormatError('unsupported', `no unwind tables for machine ${elf.machine}`);
}

/** ELF virtual addresses. */
interface TextRange {
  readonly base: number;
  readonly start: number;
  readonly end: number;
  readonly pageCount: number;
}

/** From the first executable segment to the last that is within reach of the page index. */
function textRange(elf: ElfFile): TextRange {
  const highest = 2n ** 52n;
  const segments = elf.segments
    .filter(({ type, flags, virtualAddress, memorySize }) => {
      const isCode = type === segmentTypes.load && (flags & segmentFlags.execute) !== 0 && memorySize > 0;
      return isCode && virtualAddress + BigInt(memorySize) < highest;
    })
    .map(({ virtualAddress, memorySize }) => ({
      start: Number(virtualAddress),
      end: Number(virtualAddress) + memorySize,
    }))
    .sort((a, b) => a.start - b.start);
  const start = segments[0]?.start;
  if (start === undefined) throw new BinaryFormatError('malformed', 'no executable segment');
  const base = Math.floor(start / pageBytes) * pageBytes;
  const limit = base + unwindMaxPages * pageBytes;
  let end = start;
  for (const segment of segments) if (segment.start < limit) end = Math.max(end, Math.min(segment.end, limit));
  return { base, start, end, pageCount: Math.ceil((end - base) / pageBytes) };
}

function build(
  elf: ElfFile,
  architecture: UnwindArchitecture,
  text: TextRange,
  entries: CfiEntries,
  special: readonly SpecialCode[],
  encoder: RowEncoder,
  flags: number,
): UnwindTable {
  const { base } = text;
  const writer = new RowWriter(text.pageCount);
  const program = new CfaProgram(architecture);
  const { owners, programStarts, programEnds } = entries;
  // Special code comes last, so that of two that begin at one address it is the one that holds.
  const starts = withSpecial(
    entries.starts,
    special.map(({ start }) => start),
  );
  const ends = withSpecial(
    entries.ends,
    special.map(({ end }) => end),
  );
  const described = entries.starts.length;
  const order = sortedOrder(starts);
  encoder.losses.entries += entries.skipped;
  let isSignalFrame = false;
  const row = (address: number): void => {
    encoder.encode(program.state, isSignalFrame);
    writer.add(address - base, encoder.rule, encoder.operand);
  };
  const addSpecial = (address: number, op: number, fp: number, cfaOff: number, fpOff: number): void => {
    if (address >= text.end || writer.rowCount > mostRows) return;
    writer.add(address - base, op | (fp << 8), ((cfaOff & 0xffff) | (fpOff << 16)) >>> 0);
  };
  let reached = text.start;
  let specialUntil = 0;
  for (let i = 0; i < order.length; i++) {
    const entry = order[i] ?? 0;
    const start = starts[entry] ?? 0;
    if (start < text.start || start >= text.end) continue;
    // Where descriptions overlap, the one that begins later is the one that unwinders find.
    const nextStart = starts[order[i + 1] ?? -1] ?? Infinity;
    const known = special[entry - described];
    const common = entries.commons[owners.at(entry)];
    // Code that signal handlers return to ends with a system call, whose instruction is over where the description is.
    const reach = known === undefined && common?.isSignalFrame === true ? 1 : 0;
    const end = Math.min((ends[entry] ?? 0) + reach, known === undefined ? nextStart : Infinity, text.end);
    // Special code begins a byte before the description of the same function, which then says nothing.
    if (end <= start || start < specialUntil) continue;
    if (start - reached > widestPadding) {
      writer.add(reached - base, unwindKindInvalid, 0);
      const until = addStandardFunction(elf, reached, start, addSpecial);
      if (until > reached && start - until > widestPadding) writer.add(until - base, unwindKindInvalid, 0);
    }
    if (known !== undefined) {
      specialUntil = end;
      if (known.writeRows === undefined) addSpecial(start, known.op, known.fp, known.cfaOff, known.fpOff);
      else known.writeRows(addSpecial);
    } else if (common !== undefined) {
      ({ isSignalFrame } = common);
      if (!program.run(common, programStarts.at(entry), programEnds.at(entry), start, end, row)) {
        encoder.losses.entries++;
        writer.add(program.damagedFrom - base, unwindKindInvalid, 0);
      }
    }
    reached = end;
    if (writer.rowCount > mostRows) throw new BinaryFormatError('too_large', `more than ${mostRows} unwind rows`);
  }
  writer.add(reached - base, unwindKindInvalid, 0);
  const words = writer.finish(encoder.extensions);
  return new UnwindTable({
    machine: architecture.machine,
    flags,
    base,
    pageCount: text.pageCount,
    rowCount: writer.rowCount,
    words,
    losses: encoder.losses,
  });
}

function withSpecial(entries: GrowableFloat64Array, special: readonly number[]): Float64Array {
  const all = new Float64Array(entries.length + special.length);
  all.set(entries.view());
  all.set(special, entries.length);
  return all;
}

function describe(entries: CfiEntries, text: TextRange): DescribedCode {
  const starts = entries.starts.view();
  const ends = entries.ends.view();
  return {
    hasSignalFrame: entries.commons.some(({ isSignalFrame }) => isSignalFrame),
    endAt: (address) => {
      const index = starts.findIndex((start, i) => start <= address && address < (ends[i] ?? 0));
      return index < 0 ? undefined : ends[index];
    },
    startAfter: (address) => starts.reduce((next, start) => (start > address && start < next ? start : next), text.end),
  };
}
