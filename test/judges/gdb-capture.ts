import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { StackMemory, unwindStack, UnwindState, type UnwoundStack, x86_64 } from '@everflame/binary';
import type { CodeMapping, ProcessTables } from './process-tables.ts';

/** What gdb saw when it stopped a program. */
export interface GdbCapture {
  readonly registers: Readonly<Record<string, string>>;
  /** Hexadecimal, from 128 bytes below the stack pointer on. */
  readonly stack: string;
  readonly mappings: readonly CodeMapping[];
  readonly frames: readonly { readonly pc: number; readonly name: string; readonly signal: boolean }[];
  /** Why gdb went no further; `outermost` at a clean end. */
  readonly reason: string;
}

const redZone = 128;
/** Registers in DWARF's order, then the instruction pointer. */
const names = 'rax rdx rcx rbx rsi rdi rbp rsp r8 r9 r10 r11 r12 r13 r14 r15'.split(' ');

/** Steps through a program under gdb and captures it every `stride` instructions, at most `count` times. */
export function captureWithGdb(
  command: readonly string[],
  options: { readonly out: string; readonly start: string; readonly count: number; readonly stride: number },
): GdbCapture[] {
  const script = join(import.meta.dirname, 'gdb-capture.py');
  const { status, stderr, error } = spawnSync('gdb', ['-batch', '-nx', '-x', script, '--args', ...command], {
    encoding: 'utf8',
    timeout: 200_000,
    maxBuffer: 256 * 1024 * 1024,
    env: {
      ...process.env,
      CAPTURE_OUT: options.out,
      CAPTURE_START: options.start,
      CAPTURE_COUNT: String(options.count),
      CAPTURE_STRIDE: String(options.stride),
    },
  });
  if (error !== undefined || status !== 0) throw new Error(`gdb: ${error?.message ?? stderr}`);
  return readFileSync(options.out, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as GdbCapture);
}

/** The registers of a capture. */
export function captureState(capture: GdbCapture): UnwindState {
  const state = new UnwindState(x86_64);
  for (const [i, name] of names.entries()) state.registers[i] = Number(capture.registers[name]);
  state.pc = Number(capture.registers['rip']);
  return state;
}

/** The stack of a capture by address, word by word. */
export function captureWords(capture: GdbCapture): Map<number, bigint> {
  const bytes = Buffer.from(capture.stack, 'hex');
  const base = captureState(capture).sp - redZone;
  const words = new Map<number, bigint>();
  for (let at = 0; at + 8 <= bytes.length; at += 8) words.set(base + at, bytes.readBigUInt64LE(at));
  return words;
}

/** The stack of a capture by our tables. */
export function unwindCapture(capture: GdbCapture, tables: ProcessTables, mostFrames = 512): UnwoundStack {
  const state = captureState(capture);
  const memory = new StackMemory(Buffer.from(capture.stack, 'hex'), state.sp - redZone);
  return unwindStack(state, memory, tables.mappings(capture.mappings), mostFrames);
}

/** gdb's frames as `unwindStack` gives them: of callers the return address - 1, but not of what a signal interrupted. */
export function expectedAddresses({ frames }: GdbCapture): number[] {
  return frames.map(({ pc }, i) => (i === 0 || frames[i - 1]?.signal === true ? pc : pc - 1));
}
