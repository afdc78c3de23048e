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

/** Programs and libraries that are a language's runtime. */
const RUNTIME =
  /^(?:node(?:js)?|deno|bun|(?:lib)?python[\d.]*|(?:lib)?ruby[-\d.]*|(?:lib)?php(?:-fpm|-cgi)?[\d.]*|(?:lib)?perl[\d.]*|java|beam(?:\.smp)?|dotnet|lua(?:jit)?[-\d.]*|lib(?:node|v8|jvm|coreclr|clrjit|mono|lua)[-\w.]*)(?:\.so[\d.]*)?$/;
/** Go's package; gcc names parts of a function `runtime` with the others. */
const GO_RUNTIME = /^runtime\.(?!(?:part|cold|isra|constprop|lto_priv)\b)[\w(]|^runtime\/internal\//;
const SCRIPT = /\.(?:pyc?|rb|php|pl|pm|lua|R|jl|tcl|sh|exs?)$|^<frozen [\w.]+>$/;

/** What a frame is, told from its function's name, its mapping's file, its source file and whether it is inlined there. */
export function frameKind(
  name: string,
  binary: string,
  file: string,
  isInlined = false,
): Exclude<FrameKind, 'root' | 'group'> {
  if (UNNAMED.test(name)) return 'unsymbolized';
  const kind = binaryKind(binary);
  if (kind === 'kernel') return kind;
  // What an interpreter runs lies in no file that is mapped, as what a compiler makes at run time does not.
  if (SCRIPT.test(file)) return 'interpreted';
  if (kind === 'jit') return kind;
  if (GO_RUNTIME.test(name) || RUNTIME.test(binary.slice(binary.lastIndexOf('/') + 1))) return 'runtime';
  return isInlined ? 'inlined' : 'native';
}

/**
 * The frames of a location, innermost inlined first. A location without lines, or with a nameless function, is named
 * after its binary, `[libc.so.6]`, or `<unknown>`, as `go tool pprof` does.
 *
 * `byLine`: each line of a function is a frame of its own, called `FUNCTION FILE:LINE` and lying in `FILE:LINE`, as by `go tool pprof -lines`. Only then is a
 * frame `inlined`: a function as a whole is seldom inlined wherever it is called.
 */
export function framesOfLocation(profile: Profile, location: number, byLine = false): Frame[] {
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
    const isInlined = byLine && line < end - 1;
    const number = byLine ? (locations.lineNumber[line] ?? 0n) : 0n;
    if (number > 0n && name !== '') {
      const place = `${file}:${number}`;
      frames.push({ name: `${name} ${place}`, file: place, binary, kind: frameKind(name, binary, file, isInlined) });
      continue;
    }
    frames.push(
      name === '' ? nameless(binary, file) : { name, file, binary, kind: frameKind(name, binary, file, isInlined) },
    );
  }
  return frames;
}

function nameless(binary: string, file: string): Frame {
  const base = binary.slice(binary.lastIndexOf('/') + 1);
  return { name: base === '' ? '<unknown>' : `[${base}]`, file, binary, kind: 'unsymbolized' };
}
