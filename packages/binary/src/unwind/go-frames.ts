import { asResult } from '../binary-error.ts';
import { type ElfFile, machines } from '../elf/elf-file.ts';
import { findPclntab } from '../go/pclntab.ts';
import { CfiCursor } from './cfi-cursor.ts';
import {
  unwindKindFpFrame,
  unwindKindInvalid,
  unwindKindLr,
  unwindKindSignal,
  unwindKindSp,
  unwindKindStop,
  unwindRuleAtCfa,
  unwindRuleSame,
} from './generated/unwind-abi.ts';
import type { SpecialCode } from './special-code.ts';

/** Kubernetes' kubelet has 30 MB. Beyond, the chain of frame pointers has to do. */
const largestTableBytes = 128 * 1024 * 1024;
/** Functions share their lists of depths; the go command reads 0.02 pairs for each byte of the table. A hostile file shares one long list. */
const stepsPerByte = 4;
const mostFunctions = 4 * 1024 * 1024;
/** Go 1.18 and 1.20; the layout of what is read here is the same. */
const magics: readonly number[] = [0xfffffff0, 0xfffffff1];

/** Functions after which there is no caller: a goroutine's or a thread's first, or one that leaves its stack for another. */
const ends = new Set([
  'runtime.goexit',
  'runtime.mstart',
  'runtime.mcall',
  'runtime.morestack',
  'runtime.rt0_go',
  '_rt0_amd64',
  '_rt0_amd64_linux',
  '_rt0_arm64_linux',
]);
/** Functions that change to another stack and keep the chain of frame pointers across. */
const switches = new Set(['runtime.systemstack', 'runtime.asmcgocall', 'runtime.cgocallback']);
const signalReturns = new Set(['runtime.sigreturn', 'runtime.sigreturn__sigaction']);

/**
 * The frames of code made by Go's compiler, which writes no .eh_frame: from the table of stack depths in `.gopclntab` (Go 1.18 and later;
 * golang.org/s/go12symtab and runtime/symtab.go). Where that cannot be read the chain of frame pointers is all there is,
 * exact but for functions without a frame. Undefined for programs without Go code.
 */
export function findGoCode(elf: ElfFile): SpecialCode | undefined {
  const table = elf.sections.find(({ name }) => name === '.gopclntab' || name === '.data.rel.ro.gopclntab');
  const text = elf.sections.find(({ name }) => name === '.text');
  if (table === undefined || text === undefined || text.size === 0) return undefined;
  // Go keeps no frame pointers on i386.
  if (elf.machine === machines.i386) return undefined;
  const start = Number(text.virtualAddress);
  const chain: SpecialCode = { start, end: start + text.size, op: unwindKindFpFrame, fp: 0, cfaOff: 0, fpOff: 0 };
  // C code in the same section has descriptions of its own, so what is unknown must not hide it.
  const isPure = !elf.sections.some(({ name }) => name === '.eh_frame');
  const fallback = isPure ? chain : undefined;
  if (table.size > largestTableBytes || table.fileOffset + table.size > elf.source.size) return fallback;
  const bytes = elf.source.read(table.fileOffset, table.size);
  const layout = readLayout(bytes, isPure ? () => start : () => goTextStart(elf));
  if (layout === undefined) return fallback;
  const isX86 = elf.machine === machines.x86_64;
  return {
    ...chain,
    start: layout.textStart,
    end: layout.textEnd,
    writeRows: (add) => {
      writeGoRows(layout, isX86, add);
    },
  };
}

/** Where C code is in the same section: what the runtime knows of its program says where Go's begins; 0 where that cannot be told. */
function goTextStart(elf: ElfFile): number {
  const table = asResult(() => findPclntab(elf));
  return table.ok ? (table.value?.textStart ?? 0) : 0;
}

interface GoLayout {
  readonly cursor: CfiCursor;
  readonly quantum: number;
  readonly functionCount: number;
  readonly textStart: number;
  readonly textEnd: number;
  readonly namesAt: number;
  readonly depthsAt: number;
  readonly functionsAt: number;
}

function readLayout(bytes: Uint8Array, usualStart: () => number): GoLayout | undefined {
  const cursor = new CfiCursor(bytes);
  cursor.seek(0, bytes.length);
  const magic = cursor.u32();
  cursor.skip(2);
  const quantum = cursor.u8();
  const pointerBytes = cursor.u8();
  const functionCount = cursor.u64();
  cursor.skip(8);
  // Empty since 1.26, and where the dynamic linker would fill it in.
  const textStart = cursor.u64() || usualStart();
  const namesAt = cursor.u64();
  cursor.skip(16);
  const depthsAt = cursor.u64();
  const functionsAt = cursor.u64();
  const isKnown = magics.includes(magic) && pointerBytes === 8 && (quantum === 1 || quantum === 4);
  if (cursor.failed || !isKnown || textStart === 0 || functionCount > mostFunctions) return undefined;
  cursor.seek(functionsAt + functionCount * 8, bytes.length);
  const textBytes = cursor.u32();
  if (textBytes === 0) return undefined;
  const textEnd = textStart + textBytes;
  return { cursor, quantum, functionCount, textStart, textEnd, namesAt, depthsAt, functionsAt };
}

type AddRow = (address: number, op: number, fp: number, cfaOff: number, fpOff: number) => void;

function writeGoRows(layout: GoLayout, isX86: boolean, add: AddRow): void {
  const { cursor, functionCount, textStart, textEnd, functionsAt } = layout;
  let reached = textStart;
  let steps = cursor.bytes.length * stepsPerByte;
  for (let i = 0; i < functionCount; i++) {
    cursor.seek(functionsAt + i * 8, cursor.bytes.length);
    const start = textStart + cursor.u32();
    const at = functionsAt + cursor.u32();
    const end = textStart + cursor.u32();
    // Sorted, or damaged.
    if (cursor.failed || start < reached || end <= start || end > textEnd) continue;
    cursor.seek(at + 4, cursor.bytes.length);
    const nameAt = layout.namesAt + cursor.u32();
    cursor.skip(8);
    // Where this is damaged, so is what is read there: the chain of frame pointers is left.
    const depthAt = layout.depthsAt + cursor.u32();
    reached = end;
    const name = readName(cursor.bytes, nameAt);
    if (ends.has(name)) add(start, unwindKindStop, 0, 0, 0);
    else if (switches.has(name)) add(start, unwindKindFpFrame, 0, 0, 0);
    // What it returns to is its first byte, which is looked up one byte before.
    else if (signalReturns.has(name)) add(Math.max(start - 1, textStart), unwindKindSignal, 0, 0, 0);
    else steps = writeDepths(layout, depthAt, start, end, isX86, add, steps);
  }
}

/**
 * Pairs of (signed difference of the depth, length in units of the quantum), until a difference of 0 that is not the first. Answers how many of `steps`
 * are left.
 */
function writeDepths(
  { cursor, quantum }: GoLayout,
  at: number,
  start: number,
  end: number,
  isX86: boolean,
  add: AddRow,
  steps: number,
): number {
  cursor.seek(at, cursor.bytes.length);
  let depth = -1;
  for (let address = start; address < end;) {
    const coded = cursor.uleb();
    if (coded === 0 && address > start) break;
    depth += coded % 2 === 1 ? -(coded + 1) / 2 : coded / 2;
    const length = cursor.uleb() * quantum;
    if (cursor.failed || length === 0 || steps === 0) {
      add(address, unwindKindFpFrame, 0, 0, 0);
      return steps;
    }
    steps--;
    writeDepth(address, depth, isX86, add);
    address += length;
  }
  return steps;
}

function writeDepth(address: number, depth: number, isX86: boolean, add: AddRow): void {
  if (depth < 0 || depth > 0x7ff0) {
    // Too deep for a row without extension; such functions keep a frame pointer.
    add(address, depth < 0 ? unwindKindInvalid : unwindKindFpFrame, 0, 0, 0);
  } else if (isX86) {
    // The caller's frame pointer is pushed first.
    if (depth >= 8) add(address, unwindKindSp, unwindRuleAtCfa, depth + 8, -16);
    else add(address, unwindKindSp, unwindRuleSame, depth + 8, 0);
  } else if (depth === 0) {
    add(address, unwindKindLr, unwindRuleSame, 0, 0);
  } else {
    // The link register is at SP, the caller's frame pointer below it.
    add(address, unwindKindSp, unwindRuleAtCfa, depth, -depth - 8);
  }
}

/** Long enough for the names that matter; not a copy of every name of the program. */
function readName(bytes: Uint8Array, at: number): string {
  const isRuntime = bytes[at] === 0x72 && bytes[at + 1] === 0x75;
  if (!isRuntime && bytes[at] !== 0x5f) return '';
  const limit = at + 40;
  let end = at;
  while (end < limit && (bytes[end] ?? 0) !== 0) end++;
  return Buffer.from(bytes.buffer, bytes.byteOffset + at, Math.min(end, bytes.length) - at).toString('latin1');
}
