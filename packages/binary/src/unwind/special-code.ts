import { type ElfFile, machines, segmentTypes } from '../elf/elf-file.ts';
import { findGoCode } from './go-frames.ts';
import { readText } from './read-text.ts';
import {
  unwindI386RtSigcontext,
  unwindKindLr,
  unwindKindPlt,
  unwindKindSignal,
  unwindKindSp,
  unwindKindStop,
  unwindRuleSame,
  unwindRuleSameRaAtCfa,
} from './generated/unwind-abi.ts';

/** Code whose frames are known although nothing, or something wrong, describes them. ELF virtual addresses; the fields are a row's. */
export interface SpecialCode {
  readonly start: number;
  readonly end: number;
  readonly op: number;
  readonly fp: number;
  readonly cfaOff: number;
  readonly fpOff: number;
  /** In place of the one row: writes many, by ascending address. */
  readonly writeRows?: (add: (address: number, op: number, fp: number, cfaOff: number, fpOff: number) => void) => void;
}

/** What the text is searched for patterns in; others have no libc in them, or are too large to be read for its sake. */
const mostTextBytes = 16 * 1024 * 1024;
const chunkBytes = 256 * 1024;
const dynamicNeeded = 1n;
const interpreterSegment = 3;

interface Pattern {
  readonly bytes: Buffer;
  /** Of the row relative to the pattern: a return address that is the code's first byte is looked up one byte before. */
  readonly from: number;
  readonly to: number;
  readonly op: number;
  readonly cfaOff: number;
  /** Only where nothing describes the code. */
  readonly isForUndescribed?: boolean;
}

const pattern = (hex: string, op: number, from: number, to: number, cfaOff = 0): Pattern => ({
  bytes: Buffer.from(hex.replaceAll(' ', ''), 'hex'),
  from,
  to,
  op,
  cfaOff,
});

const x86Patterns: readonly Pattern[] = [
  // mov $15 (rt_sigreturn), %rax; syscall: the restorer of glibc, musl and Go
  pattern('48 c7 c0 0f 00 00 00 0f 05', unwindKindSignal, -1, 9),
  // glibc's __start_context, which makecontext returns to: mov %rbx,%rsp; mov (%rsp),%rdi; test %rdi,%rdi; je; call
  pattern('48 89 dc 48 8b 3c 24 48 85 ff 74 08 e8', unwindKindStop, -1, 26),
  // musl's __clone: call *%r9; mov %eax,%edi; xor %eax,%eax; mov $60,%al; syscall; hlt
  pattern('41 ff d1 89 c7 31 c0 b0 3c 0f 05 f4', unwindKindStop, 0, 12),
  // musl's libc_start_main_stage2, exit(main(…)): call *%rbx; mov %eax,%edi; call
  { ...pattern('ff d3 89 c7 e8', unwindKindStop, 0, 10), isForUndescribed: true },
];

const i386Patterns: readonly Pattern[] = [
  // The C libraries' own, for kernels without a vDSO and in static programs. pop %eax; mov $119 (sigreturn), %eax; int $0x80
  { ...pattern('58 b8 77 00 00 00 cd 80', unwindKindSignal, -1, 1, 4), isForUndescribed: true },
  { ...pattern('58 b8 77 00 00 00 cd 80', unwindKindSignal, 1, 8), isForUndescribed: true },
  // mov $173 (rt_sigreturn), %eax; int $0x80
  { ...pattern('b8 ad 00 00 00 cd 80', unwindKindSignal, -1, 7, unwindI386RtSigcontext), isForUndescribed: true },
];

const aarch64Patterns: readonly Pattern[] = [
  // mov x8, #139 (rt_sigreturn); svc #0: the vDSO's and musl's
  pattern('68 11 80 d2 01 00 00 d4', unwindKindSignal, -4, 8),
];

/** What is known of a file's descriptions. `endAt`: where the one that covers the address ends; undefined: none does. */
export interface DescribedCode {
  readonly hasSignalFrame: boolean;
  endAt(address: number): number | undefined;
  startAfter(address: number): number;
}

/** The special code of a file, in no order. */
export function findSpecialCode(elf: ElfFile, described: DescribedCode): SpecialCode[] {
  const go = findGoCode(elf);
  return [
    ...(go === undefined ? [] : [go]),
    ...entryPoint(elf, described),
    ...linkageTables(elf, described),
    ...initialCode(elf, described),
    ...runtimePatterns(elf, described),
  ];
}

function row(start: number, end: number, op: number, fp = 0, cfaOff = 0, fpOff = 0): SpecialCode {
  return { start, end, op, fp, cfaOff, fpOff };
}

/** No one called `_start`, whatever is described there. */
function entryPoint(elf: ElfFile, described: DescribedCode): SpecialCode[] {
  const isProgram = elf.type === 2 || elf.segments.some(({ type }) => type === interpreterSegment);
  const start = Number(elf.entry);
  const end = described.endAt(start);
  if (start === 0 || (!isProgram && (end !== undefined || !beginsStack(elf, start)))) return [];
  // Where nothing describes it, _start is written by hand and short.
  return [row(start, end ?? Math.min(start + 64, described.startAfter(start)), unwindKindStop)];
}

/** Static position-independent programs look like libraries, but begin as the ABI says: by ending the chain of frame pointers. */
function beginsStack(elf: ElfFile, address: number): boolean {
  const code = Buffer.from(readText(elf, address, 16));
  const starts = {
    // The last: glibc's ld.so, mov %rsp,%rdi; call _dl_start.
    [machines.x86_64]: ['31ed', '4831ed', 'f30f1efa31ed', 'f30f1efa4831ed', '4889e7e8'],
    // The last: mov %esp,%eax.
    [machines.i386]: ['31ed', 'f30f1efb31ed', '89e0'],
  }[elf.machine] ?? ['1d0080d21e0080d2'];
  return starts.some((hex) => code.toString('hex').startsWith(hex));
}

/** GNU ld describes the procedure linkage table, lld does not. */
function linkageTables(elf: ElfFile, described: DescribedCode): SpecialCode[] {
  const found: SpecialCode[] = [];
  for (const { name, virtualAddress, size } of elf.sections) {
    const start = Number(virtualAddress);
    if (!/^\.i?plt(\.(sec|got|bnd))?$/u.test(name) || size === 0 || start % 16 !== 0) continue;
    if (described.endAt(start) !== undefined) continue;
    const end = start + size;
    if (elf.machine === machines.aarch64) {
      const hasHeader = name === '.plt';
      if (hasHeader) found.push(row(start, start + 4, unwindKindLr));
      if (hasHeader) found.push(row(start + 4, start + 32, unwindKindSp, unwindRuleSameRaAtCfa, 16, -8));
      found.push(row(hasHeader ? start + 32 : start, end, unwindKindLr, unwindRuleSame));
      continue;
    }
    if (elf.machine === machines.i386) {
      found.push(row(start, end, unwindKindSp, unwindRuleSame, 4));
      continue;
    }
    const pushedAt = name === '.plt' ? pushThreshold(readText(elf, start, 32)) : undefined;
    if (pushedAt === undefined) {
      found.push(row(start, end, unwindKindSp, unwindRuleSame, 8));
    } else {
      found.push(row(start, start + 6, unwindKindSp, unwindRuleSame, 16));
      found.push(row(start + 6, start + 16, unwindKindSp, unwindRuleSame, 24));
      found.push(row(start + 16, end, unwindKindPlt | (pushedAt << 4), unwindRuleSame, 8));
    }
  }
  return found;
}

/** sub $8,%rsp and add $8,%rsp. */
const subtract8 = Buffer.from('4883ec08', 'hex');
const add8 = Buffer.from('4883c408', 'hex');

/** `_init` and `_fini`, put together by the linker from assembly of the C library: nothing describes them. */
function initialCode(elf: ElfFile, described: DescribedCode): SpecialCode[] {
  const found: SpecialCode[] = [];
  if (elf.machine !== machines.x86_64) return found;
  for (const { name, virtualAddress, size } of elf.sections) {
    const start = Number(virtualAddress);
    if (!/^\.(init|fini)$/u.test(name) || size === 0 || size > 256 || described.endAt(start) !== undefined) continue;
    const code = Buffer.from(readText(elf, start, size));
    const from = code.indexOf(subtract8);
    const to = code.indexOf(add8, from + 4);
    const end = start + size;
    if (from < 0 || to < 0) {
      found.push(row(start, end, unwindKindSp, unwindRuleSame, 8));
      continue;
    }
    found.push(row(start, start + from + 4, unwindKindSp, unwindRuleSame, 8));
    found.push(row(start + from + 4, start + to + 4, unwindKindSp, unwindRuleSame, 16));
    found.push(row(start + to + 4, end, unwindKindSp, unwindRuleSame, 8));
  }
  return found;
}

/** From which byte on an entry of the lazy table has pushed its number; undefined where the table is not lazy. */
function pushThreshold(code: Uint8Array): number | undefined {
  const hex = Buffer.from(code).toString('hex');
  if (!hex.startsWith('ff35') && !hex.startsWith('f30f1efaff35')) return undefined;
  const entry = hex.slice(32);
  if (entry.startsWith('ff25') && entry.slice(12, 14) === '68') return 11;
  if (entry.startsWith('f30f1efa68')) return 9;
  return entry.startsWith('68') ? 5 : undefined;
}

function runtimePatterns(elf: ElfFile, described: DescribedCode): SpecialCode[] {
  const patterns = { [machines.x86_64]: x86Patterns, [machines.i386]: i386Patterns }[elf.machine] ?? aarch64Patterns;
  // The C library is the file that signal handlers return to, or the only file of its program.
  if (!described.hasSignalFrame && needsLibraries(elf)) return [];
  const found: SpecialCode[] = [];
  const overlap = Math.max(...patterns.map(({ bytes }) => bytes.length)) - 1;
  for (const segment of elf.segments) {
    if (segment.type !== segmentTypes.load || (segment.flags & 1) === 0 || segment.fileSize > mostTextBytes) continue;
    for (let at = 0; at < segment.fileSize; at += chunkBytes) {
      const length = Math.min(chunkBytes + overlap, segment.fileSize - at);
      const read = elf.source.read(segment.fileOffset + at, length);
      const text = Buffer.from(read.buffer, read.byteOffset, read.length);
      for (const { bytes, from, to, op, cfaOff, isForUndescribed } of patterns) {
        for (let hit = text.indexOf(bytes); hit >= 0; hit = text.indexOf(bytes, hit + bytes.length)) {
          const address = Number(segment.virtualAddress) + at + hit;
          if (isForUndescribed === true && described.endAt(address) !== undefined) continue;
          found.push(row(address + from, address + to, op, 0, cfaOff));
          if (found.length === 64) return found;
        }
      }
    }
  }
  return found;
}

function needsLibraries(elf: ElfFile): boolean {
  const dynamic = elf.segments.find(({ type }) => type === segmentTypes.dynamic);
  if (dynamic === undefined) return false;
  const bytes = elf.source.read(dynamic.fileOffset, Math.min(dynamic.fileSize, 64 * 1024));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const entryBytes = elf.is64Bit ? 16 : 8;
  for (let at = 0; at + entryBytes <= bytes.length; at += entryBytes) {
    const tag = elf.is64Bit ? view.getBigUint64(at, true) : BigInt(view.getUint32(at, true));
    if (tag === 0n) break;
    if (tag === dynamicNeeded) return true;
  }
  return false;
}
