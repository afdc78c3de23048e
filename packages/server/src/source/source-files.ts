import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

/** Where source may be read: a file that profiles call `PREFIX/x` is `DIR/x`. */
export interface SourceRoot {
  readonly prefix: string;
  readonly dir: string;
}

/** Why there is no text. Stable. */
export type NoSource = 'off' | 'elsewhere' | 'no_source' | 'not_found' | 'too_large' | 'not_text';

export type SourceText =
  | { readonly ok: true; readonly lines: readonly string[]; readonly lineCount: number }
  | { readonly ok: false; readonly reason: NoSource; readonly detail: string };

/** Generated parsers have a megabyte; more is not read by people. */
const maxFileBytes = 2 * 1024 * 1024;
/** Lines of one answer, and what is shown of each. */
export const maxLines = 2000;
const maxLineLength = 400;
const maxPathLength = 4096;

/**
 * Names of source files. Profiles come from anybody, and with them names of files: below a root there may be settings and keys, which are not
 * for the page.
 */
const sourceName =
  /\.(?:[chmsS]|cc|cpp|cxx|c\+\+|hh|hpp|hxx|inc|inl|ipp|asm|go|rs|zig|d|nim|cr|swift|mm|java|kt|kts|scala|clj|groovy|cs|fs|vb|[cm]?js|[cm]?ts|jsx|tsx|vue|svelte|py|pyx|pxd|rb|php|pl|pm|lua|r|R|jl|ex|exs|erl|hs|ml|mli|f|f90|ada|adb|pas|sh|sql|dart)$/;

/**
 * The text of source files, from folders that whoever runs the server has named. Nothing else can be reached: each part of a path is opened by itself, below the folder that is already
 * open, and is never a symbolic link, so that nothing that happens in the file system in between leads out of it. Hidden files and folders, and
 * what is not called like source, are not read.
 */
export class SourceFiles {
  readonly #roots: readonly SourceRoot[];

  constructor(roots: readonly SourceRoot[]) {
    // The longest name that fits decides.
    this.#roots = roots
      .map(({ prefix, dir }) => ({ prefix: prefix.replace(/\/+$/, ''), dir }))
      .toSorted((a, b) => b.prefix.length - a.prefix.length);
  }

  /** Lines `first` to `last` (from 1; at most `maxLines` of them) of a file as profiles call it. */
  async read(file: string, first: number, last: number): Promise<SourceText> {
    if (this.#roots.length === 0) {
      return none('off', 'the server reads no source: start it with --source-root DIR, or PREFIX=DIR, to let it');
    }
    const path = pathOf(file);
    const root = this.#roots.find(({ prefix }) => path.startsWith(`${prefix}/`));
    if (root === undefined) {
      const known = this.#roots.map(({ prefix }) => prefix).join(', ');
      return none('elsewhere', `it lies in none of the folders that --source-root allows (${known})`);
    }
    const parts = path.slice(root.prefix.length + 1).split('/');
    if (path.length > maxPathLength || !parts.every(isPlainName) || !sourceName.test(parts.at(-1) ?? '')) {
      return none('no_source', 'its name is not one of a source file, or holds parts that are not followed');
    }
    const handle = await openBelow(root.dir, parts);
    if (handle === undefined) {
      return none('not_found', 'there is no such file that the server may read; symbolic links are not followed');
    }
    try {
      return await textOf(handle, first, last);
    } finally {
      await handle.close();
    }
  }
}

/** V8 calls modules by URL. */
function pathOf(file: string): string {
  const url = /^file:\/\/(?=\/)/.exec(file);
  if (url === null) return file;
  const path = file.slice(url[0].length);
  // A stray percent sign is part of a name.
  return /%(?![0-9a-fA-F]{2})/.test(path) ? path : decodedOr(path);
}

function decodedOr(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch (error) {
    if (error instanceof URIError) return path;
    throw error;
  }
}

/** No `.` and `..`, nothing hidden, nothing empty. */
function isPlainName(part: string): boolean {
  return part !== '' && !part.startsWith('.') && !part.includes('\0');
}

const expected = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES', 'EPERM', 'ENAMETOOLONG', 'ENXIO']);

/** The file `parts` below `dir`, by a step for each part; undefined when there is none. Not even a pipe or a device holds it up. */
async function openBelow(dir: string, parts: readonly string[]): Promise<FileHandle | undefined> {
  const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK } = constants;
  let at: FileHandle | undefined;
  try {
    at = await open(dir, O_RDONLY | O_DIRECTORY);
    for (const [index, part] of parts.entries()) {
      const flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | (index < parts.length - 1 ? O_DIRECTORY : 0);
      // What the descriptor stands for, and not what the path meanwhile leads to.
      const next: FileHandle = await open(`/proc/self/fd/${at.fd}/${part}`, flags);
      await at.close();
      at = next;
    }
    return at;
  } catch (error) {
    await at?.close();
    if (error instanceof Error && 'code' in error && expected.has(String(error.code))) return undefined;
    throw error;
  }
}

async function textOf(handle: FileHandle, first: number, last: number): Promise<SourceText> {
  const facts = await handle.stat();
  if (!facts.isFile()) return none('not_found', 'it is no plain file');
  const bytes = await contentOf(handle, facts.size);
  if (bytes === undefined) return none('too_large', 'it is larger than 2 MiB');
  if (bytes.includes(0)) return none('not_text', 'it is no text');
  const all = new TextDecoder().decode(bytes).split(/\r?\n/);
  if (all.at(-1) === '') all.pop();
  const lines = all
    .slice(first - 1, Math.min(last, first - 1 + maxLines))
    .map((line) => (line.length > maxLineLength ? `${line.slice(0, maxLineLength)}…` : line));
  return { ok: true, lines, lineCount: all.length };
}

/** Undefined: too large, also when it grows meanwhile. */
async function contentOf(handle: FileHandle, size: number): Promise<Uint8Array | undefined> {
  if (size > maxFileBytes) return undefined;
  const bytes = new Uint8Array(maxFileBytes + 1 < size * 2 + 4096 ? maxFileBytes + 1 : size * 2 + 4096);
  let length = 0;
  for (;;) {
    const { bytesRead } = await handle.read(bytes, length, bytes.length - length, length);
    if (bytesRead === 0) return bytes.subarray(0, length);
    length += bytesRead;
    if (length === bytes.length) return undefined;
  }
}

function none(reason: NoSource, detail: string): SourceText {
  return { ok: false, reason, detail };
}
