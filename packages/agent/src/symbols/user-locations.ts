import type { ProcessMapping } from '../processes/process.ts';
import { baseName } from './mapping-target.ts';
import type { ModuleView } from './module.ts';
import type { ResolvedLine, ResolvedLocation, ResolvedMapping } from './symbolizer.ts';
import type { WireSegment } from './worker-messages.ts';

const pageBytes = 4096n;

/** Code without a file: its addresses are the process's own. */
export const anonymousMapping: ResolvedMapping = {
  memoryStart: 0n,
  memoryLimit: 0n,
  fileOffset: 0n,
  file: '//anon',
  buildId: '',
};
const vsyscallMapping: ResolvedMapping = {
  memoryStart: 0xffff_ffff_ff60_0000n,
  memoryLimit: 0xffff_ffff_ff60_1000n,
  fileOffset: 0n,
  file: '[vsyscall]',
  buildId: '',
};
/** The three entries of the page, 1 KiB apart; part of the x86-64 kernel's interface. */
const vsyscalls = ['vgettimeofday', 'vtime', 'vgetcpu'];

/** Of a segment that is known: its place in ELF virtual addresses, rounded to pages as the loader does. */
export function segmentMapping(
  view: ModuleView,
  mapping: ProcessMapping,
  segment: WireSegment | undefined,
  buildId: string,
): ResolvedMapping {
  if (segment === undefined) return offsetMapping(view, mapping, buildId);
  let known = view.mappings.get(segment);
  if (known === undefined) {
    const within = segment.virtualAddress % pageBytes;
    const limit = segment.virtualAddress + BigInt(segment.memorySize);
    known = {
      memoryStart: segment.virtualAddress - within,
      memoryLimit: ((limit + pageBytes - 1n) / pageBytes) * pageBytes,
      fileOffset: BigInt.asUintN(64, BigInt(segment.fileOffset) - within),
      file: view.path,
      buildId,
    };
    view.mappings.set(segment, known);
  }
  return known;
}

/** Of a file that could not be read: file offsets stand for addresses. */
function offsetMapping(view: ModuleView, mapping: ProcessMapping, buildId: string): ResolvedMapping {
  const key = `${mapping.fileOffset}+${mapping.end - mapping.start}`;
  let known = view.offsetMappings.get(key);
  if (known === undefined) {
    known = {
      memoryStart: mapping.fileOffset,
      memoryLimit: mapping.fileOffset + mapping.end - mapping.start,
      fileOffset: mapping.fileOffset,
      file: view.path,
      buildId,
    };
    view.offsetMappings.set(key, known);
  }
  return known;
}

export function offsetLocation(view: ModuleView, mapping: ProcessMapping, offset: bigint): ResolvedLocation {
  return {
    mapping: offsetMapping(view, mapping, mapping.buildId),
    address: offset,
    kind: 'unsymbolized',
    lines: unnamed(baseName(view.path), offset),
  };
}

export function unfiled(name: string, address: bigint): ResolvedLocation {
  return { mapping: anonymousMapping, address, kind: 'unsymbolized', lines: lineOf(name) };
}

export function vsyscall(address: bigint): ResolvedLocation {
  const offset = address - vsyscallMapping.memoryStart;
  const name = vsyscalls[Number(offset / 1024n)];
  return {
    mapping: vsyscallMapping,
    address,
    kind: 'native',
    lines: lineOf(name ?? `[vsyscall+0x${offset.toString(16)}]`),
  };
}

export function unnamed(binary: string, address: bigint): readonly ResolvedLine[] {
  return lineOf(`[${binary.replace(/^\[(.*)\]$/, '$1')}+0x${address.toString(16)}]`);
}

function lineOf(name: string): readonly ResolvedLine[] {
  return [{ name, systemName: name, file: '', line: 0, startLine: 0 }];
}
