/**
 * What a frame is. `root` is the sum of everything, `group` a label's value; `unsymbolized` code has no name. For the
 * others the mapping decides: `[kernel.kallsyms]` and `[module]`s are the kernel, `//anon` and `[jit]` made at run time, programs and libraries of language
 * runtimes `runtime` (Go's by the package `runtime`). `interpreted` is a function of a script, told by its file; `inlined` a line of native code that nowhere was a call.
 */
export type FrameKind =
  | 'root'
  | 'group'
  | 'kernel'
  | 'native'
  | 'jit'
  | 'unsymbolized'
  | 'runtime'
  | 'interpreted'
  | 'inlined';

/** Frames by row, as columns of equal length. In a tree row 0 is the root. */
export interface FrameColumns {
  readonly name: readonly string[];
  /** Source file or `''`. */
  readonly file: readonly string[];
  /** Path of the mapping or `''`. */
  readonly binary: readonly string[];
  readonly kind: readonly FrameKind[];
}

export interface Frame {
  readonly name: string;
  readonly file: string;
  readonly binary: string;
  readonly kind: FrameKind;
}

/**
 * Interns frames. Functions are the same when their names are, which is what `go tool pprof` shows by default; of file and
 * binary the first seen non-empty is kept, of the kinds the first that is not `inlined`. Groups and the root are apart from functions of the same name.
 */
export class FrameTable {
  readonly name: string[] = [];
  readonly file: string[] = [];
  readonly binary: string[] = [];
  readonly kind: FrameKind[] = [];
  readonly #functions = new Map<string, number>();
  readonly #groups = new Map<string, number>();

  constructor() {
    this.#push({ name: 'root', file: '', binary: '', kind: 'root' });
  }

  get length(): number {
    return this.name.length;
  }

  intern(frame: Frame): number {
    if (frame.kind === 'root') return 0;
    const rows = frame.kind === 'group' ? this.#groups : this.#functions;
    const known = rows.get(frame.name);
    if (known === undefined) {
      const row = this.#push(frame);
      rows.set(frame.name, row);
      return row;
    }
    if (this.file[known] === '') this.file[known] = frame.file;
    if (this.binary[known] === '') this.binary[known] = frame.binary;
    if (this.kind[known] === 'inlined') this.kind[known] = frame.kind;
    return known;
  }

  columns(): FrameColumns {
    return { name: this.name, file: this.file, binary: this.binary, kind: this.kind };
  }

  #push(frame: Frame): number {
    this.name.push(frame.name);
    this.file.push(frame.file);
    this.binary.push(frame.binary);
    this.kind.push(frame.kind);
    return this.name.length - 1;
  }
}

/** Frame `row` of columns. */
export function frameAt(frames: FrameColumns, row: number): Frame {
  return {
    name: frames.name[row] ?? '',
    file: frames.file[row] ?? '',
    binary: frames.binary[row] ?? '',
    kind: frames.kind[row] ?? 'native',
  };
}
