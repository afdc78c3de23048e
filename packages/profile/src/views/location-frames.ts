import type { Profile } from '../profile.ts';
import type { Frame, FrameKind } from './frame-table.ts';

/** `[kernel.kallsyms]` (perf appends a symbol: `[kernel.kallsyms]_text`), `[guest.kernel.kallsyms]`, `[nf_tables]`; not what the kernel maps into processes. */
const BRACKETED = /^\[(?<inside>[^\]]+)\]/;
const USER_BRACKETED = new Set(['vdso', 'vsyscall', 'vvar', 'heap', 'stack', 'anon', 'jit', 'uprobes']);
const JIT = /^(?:\/\/anon|\[jit\]|\[anon|anon_inode:|\/memfd:|\/dev\/zero)/;
/** What the agent calls code without a name, with or without its address. */
const UNNAMED = /^\[[^\]]*\+0x[0-9a-f]+\]$/;

/** What kind of code a mapping's file holds. */
export function binaryKind(binary: string): 'kernel' | 'native' | 'jit' {
  if (JIT.test(binary)) return 'jit';
  const inside = BRACKETED.exec(binary)?.groups?.['inside'];
  if (inside === undefined || USER_BRACKETED.has(inside) || inside.startsWith('stack:')) return 'native';
  return 'kernel';
}

/** What a frame is, told from its function's name and its mapping's file. */
export function frameKind(name: string, binary: string): Exclude<FrameKind, 'root' | 'group'> {
  return UNNAMED.test(name) ? 'unsymbolized' : binaryKind(binary);
}

/**
 * The frames of a location, innermost inlined first. A location without lines, or with a nameless function, is named
 * after its binary, `[libc.so.6]`, or `<unknown>`, as `go tool pprof` does.
 */
export function framesOfLocation(profile: Profile, location: number): Frame[] {
  const { locations, functions, mappings, strings } = profile;
  const binary = strings[mappings.fileString[locations.mapping[location] ?? 0] ?? 0] ?? '';
  const first = locations.lineOffset[location] ?? 0;
  const end = locations.lineOffset[location + 1] ?? 0;
  if (first === end) return [nameless(binary, '')];
  const frames: Frame[] = [];
  for (let line = first; line < end; line++) {
    const row = locations.lineFunction[line] ?? 0;
    const name = strings[functions.nameString[row] ?? 0] ?? '';
    const file = strings[functions.fileString[row] ?? 0] ?? '';
    frames.push(name === '' ? nameless(binary, file) : { name, file, binary, kind: frameKind(name, binary) });
  }
  return frames;
}

function nameless(binary: string, file: string): Frame {
  const base = binary.slice(binary.lastIndexOf('/') + 1);
  return { name: base === '' ? '<unknown>' : `[${base}]`, file, binary, kind: 'unsymbolized' };
}
