import { asResult, type BinaryResult } from '../binary-error.ts';
import { readExactly } from '../byte-source.ts';
import { fileOffsetOfVirtualAddress } from '../elf/elf-addresses.ts';
import { type ElfFile, machines } from '../elf/elf-file.ts';
import { readGoBuildInfo } from './go-build-info.ts';
import { type GoRange, namedFunctions } from './named-functions.ts';
import { findPclntab } from './pclntab.ts';

/** Where a Go program keeps the profiler labels of the goroutine that a thread runs. Offsets in bytes. */
export interface GoLabels {
  /** From the thread pointer to the thread's `g`; below it. */
  readonly threadOffset: number;
  /** In a `g`: its `m`, the thread. */
  readonly threadOf: number;
  /** In an `m`: the `g` of the goroutine that it runs, whatever stack it is on. */
  readonly current: number;
  /** In a `g`: the pointer to its labels. */
  readonly labels: number;
  /** Up to 1.23 labels are a map, since 1.24 a slice (src/runtime/pprof/label.go). */
  readonly kind: 'map' | 'slice';
}

/** Undefined where the program sets no labels; `unknown` where it does, and where they are cannot be told. */
export type GoLabelsFound = GoLabels | 'unknown' | undefined;

const setter = 'runtime/pprof.runtime_setProfLabel';
const switcher = 'runtime.systemstack';
const mostCodeBytes = 512;
/** A `g` and an `m` have a few hundred bytes. */
const mostOffset = 4096;
/** Of the memory that all parts of a program keep for each thread, in which Go has 8 bytes. */
const mostBelow = 65_528;

/**
 * systemstack of src/runtime/asm_amd64.s, the same from 1.18 to 1.26: AX = g from the thread's own memory, by a constant offset or by one in CX; BX = g.m; is it
 * m.gsignal, m.g0, or m.curg?
 */
const switchCode =
  // oxlint-disable-next-line no-control-regex -- bytes of instructions
  /(?:\x64\x48\x8b\x04\x25([^]{4})|\x48\xc7\xc1([^]{4})\x64\x48\x8b\x01)\x48\x8b\x58([^])\x48\x3b\x43[^]{9,16}?\x48\x3b\x83([^]{4})/u;
/** runtime_setProfLabel writes into its own g, which is R14; where the collector is to be told, it reads what was there first. */
const setCode = /\x49(?:\x89\x86|\x8b\x8e)([^]{4})/u;

/**
 * Reads from the code of a program, stripped or not, where it keeps labels: whoever sets them goes through one function, which the linker leaves out
 * elsewhere. Programs for x86-64 that Go 1.18 or later made; of libraries the place in the thread's memory is known only once they are loaded.
 */
export function readGoLabels(elf: ElfFile): BinaryResult<GoLabelsFound> {
  return asResult(() => {
    if (elf.machine !== machines.x86_64) return undefined;
    const info = readGoBuildInfo(elf);
    if (!info.ok || info.value === undefined) return undefined;
    const table = findPclntab(elf);
    if (table === undefined || table.version === '1.2' || table.version === '1.16') return undefined;
    const functions = namedFunctions(table, [setter, switcher]);
    const set = functions.get(setter);
    if (set === undefined) return undefined;
    const minor = Number(/^(?:devel )?go1\.(\d+)/u.exec(info.value.goVersion)?.[1]);
    const labels = offsetIn(setCode.exec(codeOf(elf, set))?.[1]);
    const switched = switchCode.exec(codeOf(elf, functions.get(switcher)));
    const threadOffset = belowThread(signedIn(switched?.[1] ?? switched?.[2]));
    const threadOf = offsetOr(switched?.[3]?.codePointAt(0));
    const current = offsetIn(switched?.[4]);
    if (labels === undefined || threadOffset === undefined || threadOf === undefined || current === undefined) {
      return 'unknown';
    }
    if (Number.isNaN(minor)) return 'unknown';
    return { threadOffset, threadOf, current, labels, kind: minor < 24 ? 'map' : 'slice' };
  });
}

/** One character for each byte. */
function codeOf(elf: ElfFile, range: GoRange | undefined): string {
  if (range === undefined) return '';
  const at = fileOffsetOfVirtualAddress(elf, BigInt(range.start));
  if (at === undefined) return '';
  const length = Math.max(0, Math.min(range.end - range.start, mostCodeBytes));
  const bytes = readExactly(elf.source, Number(at), length);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}

function signedIn(code: string | undefined): number | undefined {
  return code === undefined ? undefined : Buffer.from(code, 'latin1').readInt32LE(0);
}

function offsetIn(code: string | undefined): number | undefined {
  return offsetOr(signedIn(code));
}

/** Undefined where it cannot be one. */
function offsetOr(offset: number | undefined): number | undefined {
  return offset !== undefined && offset > 0 && offset < mostOffset && offset % 8 === 0 ? offset : undefined;
}

function belowThread(offset: number | undefined): number | undefined {
  return offset !== undefined && offset < 0 && offset >= -mostBelow && offset % 8 === 0 ? offset : undefined;
}
