import type { ProcessMapping, ProcessView } from '../processes/process.ts';

/** Which kind of code a frame is; kernel frames are marked in folded output and coloured in the page. */
export type FrameKind = 'kernel' | 'native' | 'jit' | 'unsymbolized';

export interface ResolvedLine {
  /** For people: demangled, without the parameters of C++ and the hash of Rust. */
  readonly name: string;
  /** As the linker knows it. */
  readonly systemName: string;
  readonly file: string;
  readonly line: number;
  readonly startLine: number;
}

/** The pprof mapping of a resolved location: in ELF virtual addresses, so equal for every process and host that runs this file. */
export interface ResolvedMapping {
  readonly memoryStart: bigint;
  readonly memoryLimit: bigint;
  readonly fileOffset: bigint;
  /** Path without the container's root; `[kernel.kallsyms]`, `[vdso]`, or `//anon` where there is no file. */
  readonly file: string;
  readonly buildId: string;
}

export interface ResolvedLocation {
  readonly mapping: ResolvedMapping;
  /** ELF virtual address; for a caller's frame that of the call instruction (return address - 1). */
  readonly address: bigint;
  readonly kind: FrameKind;
  /** Innermost first. Never empty: what has no name is `[binary+0x1234]`. */
  readonly lines: readonly ResolvedLine[];
}

/**
 * Names for addresses. Files are read in worker threads; sampling is never blocked.
 *
 * `prepare` is called at the first sight of a mapping, while the process is likely to live: it opens the file (through
 * /proc/PID/map_files or /proc/PID/root, else by path when the build ID matches) and starts reading it.
 * `resolveUser` and `resolveKernel` are called when a profile is made, up to an interval later, also for processes
 * that are gone by then.
 */
export interface Symbolizer {
  prepare(process: ProcessView, mapping: ProcessMapping): void;
  /** A process runs another program under the same PID, or has exited: cached JIT maps of it are to be read now or dropped. */
  forget(process: ProcessView): void;
  /**
   * `addresses` are return addresses but for those at the indices where `isLeaf` is 1 (the interrupted instruction).
   * The answer is parallel to it. Never rejects: what fails is counted and named `[binary+0x1234]`.
   */
  resolveUser(
    process: ProcessView,
    addresses: BigUint64Array,
    isLeaf: Uint8Array,
  ): Promise<readonly ResolvedLocation[]>;
  resolveKernel(addresses: BigUint64Array, isLeaf: Uint8Array): Promise<readonly ResolvedLocation[]>;
  close(): Promise<void>;
}
