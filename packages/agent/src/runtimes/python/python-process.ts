import type { ReadNote } from '../frame-note.ts';
import { ownCopy, wordIn } from '../process-memory.ts';
import { codeHeadBytes, type PythonLayout } from './python-layout.ts';
import { pythonLine } from './python-lines.ts';
import { type PythonMemory, readPythonText } from './python-text.ts';
import { PythonTypes, typeAt } from './python-types.ts';

/** A function as its author knows it. */
export interface PythonFunction {
  /** Qualified from 3.11 on: `Shop.render`, `outer.<locals>.inner`; `<module>` for a file's own code. */
  readonly name: string;
  readonly file: string;
  readonly firstLine: number;
  /** What the object said when it was read: another one may lie there later. */
  readonly identity: readonly number[];
  readonly lineTable: Uint8Array;
}

/** A frame of Python's. */
export interface PythonFrame {
  readonly function: PythonFunction;
  /** 0: not known. */
  readonly line: number;
}

/** Of a process; a large service has some ten thousand. */
const mostFunctions = 65_536;
/** Of one function's lines; the largest generated files have some megabytes of bytecode. */
const mostLineBytes = 4 * 1024 * 1024;
/** Of all functions' that are kept. */
const mostTableBytes = 16 * 1024 * 1024;
/** PyVarObject: ob_size; PyBytesObject: ob_sval. */
const sizeAt = 16;
const bytesAt = 32;

/** Reads what a process of CPython runs: functions by the address of their code object. Everything that it reads may be a lie. */
export class PythonProcess {
  readonly #layout: PythonLayout;
  readonly #memory: PythonMemory & { readonly isGone: boolean };
  readonly #functions = new Map<number, PythonFunction>();
  readonly #types: PythonTypes;
  /** Where a code object has the words by which it is told from another one at the same place. */
  readonly #identityAt: readonly number[];
  #tableBytes = 0;

  constructor(layout: PythonLayout, memory: PythonMemory & { readonly isGone: boolean }) {
    this.#layout = layout;
    this.#memory = memory;
    this.#types = new PythonTypes(memory);
    const { file, name, qualifiedName = name, firstLine, lines } = layout.code;
    this.#identityAt = [typeAt, file, name, qualifiedName, lines, firstLine];
  }

  /** Undefined where there is no code object, or not any more. */
  frame({ object, place }: ReadNote): PythonFrame | undefined {
    const found = this.#function(object);
    if (found === undefined) return undefined;
    const { lineFormat } = this.#layout;
    const line = place === undefined ? 0 : pythonLine(lineFormat, found.lineTable, found.firstLine, 2 * place);
    return { function: found, line };
  }

  /** Is the code object still that function's? */
  isStill(own: PythonFunction, address: number): boolean {
    return this.#identityAt.every((at, i) => this.#memory.word(address + at) === own.identity[i]);
  }

  #function(address: number): PythonFunction | undefined {
    const known = this.#functions.get(address);
    if (known !== undefined && (this.isStill(known, address) || this.#memory.isGone)) return known;
    const head = this.#memory.bytes(address, codeHeadBytes);
    if (head === undefined) return known;
    const identity = this.#identityAt.map((at) => wordIn(head, at));
    const found = this.#types.isNamed(wordIn(head, typeAt), 'code') ? this.#read(head, identity) : undefined;
    if (known !== undefined) this.#tableBytes -= known.lineTable.length;
    this.#functions.delete(address);
    if (found === undefined) return undefined;
    if (this.#functions.size >= mostFunctions || this.#tableBytes > mostTableBytes) {
      this.#functions.clear();
      this.#tableBytes = 0;
    }
    this.#tableBytes += found.lineTable.length;
    this.#functions.set(address, found);
    return found;
  }

  #read(head: Buffer, identity: readonly number[]): PythonFunction | undefined {
    const { code } = this.#layout;
    // Where there are qualified names every object has one: one that cannot be read just now is not the short one.
    const name = this.#text(wordIn(head, code.qualifiedName ?? code.name));
    const file = this.#text(wordIn(head, code.file));
    const lineTable = this.#bytes(wordIn(head, code.lines));
    if (name === undefined || file === undefined || lineTable === undefined) return undefined;
    return { name, file, firstLine: Math.max(0, head.readInt32LE(code.firstLine)), identity, lineTable };
  }

  #text(address: number): string | undefined {
    if (!this.#types.isOf(address, 'str')) return undefined;
    return readPythonText(this.#memory, this.#layout.text, address);
  }

  #bytes(address: number): Uint8Array | undefined {
    if (!this.#types.isOf(address, 'bytes')) return undefined;
    const size = this.#memory.word(address + sizeAt) ?? Infinity;
    return size > mostLineBytes ? undefined : ownCopy(this.#memory.bytes(address + bytesAt, size));
  }
}
