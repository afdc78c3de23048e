import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { functionNameOf } from './function-name.ts';

/** Names longer than this after demangling are cut: expanded C++ templates reach megabytes and nobody reads them. */
const longestDemangled = 4096;
/**
 * Pages of 64 KiB that the demangler may use: 4 MiB. A mangled name can refer back to itself so that its text doubles with every
 * ten bytes; the WebAssembly memory is the wall it hits.
 */
const mostPages = 64;

/**
 * Readable names of C++ (Itanium ABI) and Rust (legacy and v0) symbols, by Mozilla's `gecko-profiler-demangle` (the cpp_demangle and
 * rustc-demangle crates as WebAssembly). The module is used without its JavaScript wrapper, which needs a bundler or Node's
 * experimental WebAssembly imports and cannot be restarted after a trap.
 */
export class Demangler {
  #module: WebAssembly.Module | undefined;
  #instance: DemanglerExports | undefined;

  /**
   * The name of a function for people: `demangle` without the parameters and the return type of C++. Overloads share it; their full names are
   * `demangle`'s. Never throws.
   */
  functionName(name: string): string {
    const readable = this.demangle(name);
    // Rust's names have no parameters, but may end with those of a type.
    return /^_{1,3}Z/.test(name) && readable !== name ? functionNameOf(readable) : readable;
  }

  /** The readable form of `name`, or `name` itself where it is not mangled or cannot be demangled. Never throws. */
  demangle(name: string): string {
    if (!isMangled(name)) return name;
    try {
      const readable = this.#run(name);
      // What no scheme knows comes back without the underscore that macOS puts before every name.
      if (readable === name.slice(1)) return name;
      return readable.length > longestDemangled ? `${readable.slice(0, longestDemangled)}…` : readable;
    } catch (error) {
      if (!(error instanceof WebAssembly.RuntimeError || error instanceof RangeError)) throw error;
      // Out of its memory or its stack: its state is lost, so the next name gets a fresh one.
      this.#instance = undefined;
      return name;
    }
  }

  #run(name: string): string {
    const wasm = (this.#instance ??= this.#instantiate());
    const input = Buffer.from(name, 'utf8');
    const at = wasm.allocate(input.length, 1) >>> 0;
    new Uint8Array(wasm.memory.buffer).set(input, at);
    // The function owns the input from here on.
    const [resultAt, length] = wasm.demangle(at, input.length);
    const text = Buffer.from(wasm.memory.buffer, resultAt >>> 0, Math.min(length, 4 * longestDemangled + 4));
    const readable = text.toString('utf8');
    wasm.free(resultAt, length, 1);
    return readable;
  }

  #instantiate(): DemanglerExports {
    const wasmPath = fileURLToPath(import.meta.resolve('gecko-profiler-demangle/index_bg.wasm'));
    this.#module ??= new WebAssembly.Module(withMemoryLimit(readFileSync(wasmPath), mostPages));
    const imports = { './index_bg.js': { __wbindgen_init_externref_table: () => undefined } };
    const { exports } = new WebAssembly.Instance(this.#module, imports);
    return {
      memory: exports['memory'] as WebAssembly.Memory,
      demangle: exports['demangle_any'] as DemanglerExports['demangle'],
      allocate: exports['__wbindgen_malloc'] as DemanglerExports['allocate'],
      free: exports['__wbindgen_free'] as DemanglerExports['free'],
    };
  }
}

interface DemanglerExports {
  readonly memory: WebAssembly.Memory;
  /** Takes the input over; gives place and length of the answer, which the caller frees. */
  readonly demangle: (at: number, length: number) => [number, number];
  readonly allocate: (size: number, align: number) => number;
  readonly free: (at: number, size: number, align: number) => void;
}

/** Whether a demangler may know the name; the others (C, Go, assembly) need no call. */
function isMangled(name: string): boolean {
  return /^_{0,3}[ZR]|^\?/.test(name);
}

/**
 * Writes a maximum into the memory section of a WebAssembly module that declares one memory without maximum; the module is
 * returned unchanged if it declares another kind. Throws only on a damaged package.
 */
export function withMemoryLimit(module: Uint8Array, maximumPages: number): Uint8Array<ArrayBuffer> {
  let at = 8;
  while (at < module.length) {
    const id = module[at];
    const size = readLeb(module, at + 1);
    const body = at + 1 + size.length;
    if (id === 5) {
      const minimum = readLeb(module, body + 2);
      if (module[body] !== 1 || module[body + 1] !== 0) break;
      const section = [1, 1, ...writeLeb(minimum.value), ...writeLeb(maximumPages)];
      return Uint8Array.from(
        Buffer.concat([
          module.subarray(0, at),
          Uint8Array.from([5, ...writeLeb(section.length), ...section]),
          module.subarray(body + size.value),
        ]),
      );
    }
    at = body + size.value;
  }
  return Uint8Array.from(module);
}

function readLeb(bytes: Uint8Array, at: number): { value: number; length: number } {
  let value = 0;
  for (let i = 0; i < 5; i++) {
    const byte = bytes[at + i] ?? 0;
    value += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return { value, length: i + 1 };
  }
  throw new Error('a damaged WebAssembly module');
}

function writeLeb(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest % 128) + 128);
  }
}
