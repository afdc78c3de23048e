import type { DebugLink } from '@everflame/binary';
import type { ResolvedLine } from './symbolizer.ts';

/** A process as the worker needs to know it: enough to find its JIT maps. */
export interface JitProcessId {
  readonly pid: number;
  readonly namespacePid: number;
  /** Tells a reused PID from its predecessor. */
  readonly startTimeNs: bigint;
}

/** A segment of a file that is mapped executable; ELF virtual addresses, both rounded to pages as the loader does. */
export interface ModuleSegment {
  readonly memoryStart: bigint;
  readonly memoryLimit: bigint;
  readonly fileOffset: bigint;
}

/** Names for the addresses of a request: `listOf[i]` is 0 for no name, else one more than the index into `lists`. */
export interface NamedAddresses {
  readonly listOf: Uint32Array;
  readonly lists: readonly (readonly ResolvedLine[])[];
}

/** Reads a file's symbols. The descriptor stays the main thread's, which closes it after the answer. */
export interface LoadRequest {
  readonly kind: 'load';
  readonly key: string;
  readonly content: { readonly fd: number } | { readonly image: Uint8Array };
  /** '' where the mapping's record carried none. */
  readonly expectedBuildId: string;
}

export type LoadReply =
  | {
      readonly status: 'loaded';
      readonly buildId: string;
      readonly functions: number;
      /** For conversions of addresses: of all loadable segments. */
      readonly segments: readonly WireSegment[];
      readonly debug: DebugNeeds;
    }
  | { readonly status: 'failed'; readonly cause: LoadFailure; readonly detail: string };

/** What a file says of its debugging information. */
export interface DebugNeeds {
  /** Its own table names every address with file and line: nothing else is needed. */
  readonly isComplete: boolean;
  /** Whether it has its full symbol table. */
  readonly hasSymbols: boolean;
  /** Of its own; 0 where it has none. */
  readonly dwarfBytes: number;
  /** The file that was split off. */
  readonly link: DebugLink | undefined;
}

/** Program headers as the conversions of @everflame/binary take them. */
export interface WireSegment {
  readonly type: number;
  readonly flags: number;
  readonly fileOffset: number;
  readonly virtualAddress: bigint;
  readonly fileSize: number;
  readonly memorySize: number;
  readonly align: number;
}

/** `not_elf` is no loss: JIT code, shared archives and devices are mapped executable as well. */
export type LoadFailure = 'not_elf' | 'malformed_elf' | 'file_gone' | 'file_changed';

export interface ModuleRequest {
  readonly kind: 'module';
  readonly key: string;
  /** ELF virtual addresses. */
  readonly addresses: BigUint64Array;
}

/** `absent`: it was evicted, load it again. */
export type ModuleReply = { readonly status: 'named'; readonly named: NamedAddresses } | { readonly status: 'absent' };

/**
 * Reads a file's debugging information: its own (`main`), or that of a file that may have been split off (`separate`). Descriptors stay the main thread's, which
 * closes them after the answer.
 */
export interface DebugLoadRequest {
  readonly kind: 'debug-load';
  readonly key: string;
  /** Paths are as the process sees them; `roots` are put before them, in this order. */
  readonly main: { readonly fd: number; readonly path: string } | undefined;
  readonly separate: { readonly fd: number; readonly path: string } | undefined;
  readonly roots: readonly string[];
  readonly debugDirectory: string;
  /** Of the module; '' where it has none. */
  readonly buildId: string;
  readonly link: DebugLink | undefined;
}

export type DebugLoadReply =
  | { readonly status: 'ready' }
  /** `other`: not the file that belongs to the module. `nothing`: damaged, or without anything that helps. */
  | { readonly status: 'other' | 'nothing' };

/** ELF virtual addresses; the answer has lists where more is known than the module's symbols tell. */
export interface DebugNameRequest {
  readonly kind: 'debug-name';
  readonly key: string;
  readonly addresses: BigUint64Array;
}

export interface JitRequest {
  readonly kind: 'jit';
  readonly process: JitProcessId;
  /** Of the process. */
  readonly addresses: BigUint64Array;
}

export interface JitReply {
  readonly named: NamedAddresses;
}

/** First sight of anonymous code (`dump` undefined) or of a mapped jitdump file; `gone`: the last chance to read. No answer is awaited. */
export interface JitNotice {
  readonly kind: 'jit-notice';
  readonly process: JitProcessId;
  readonly event: 'seen' | 'gone';
  readonly dump: { readonly mapFile: string; readonly path: string } | undefined;
}

export interface KernelRequest {
  readonly kind: 'kernel';
  readonly addresses: BigUint64Array;
}

export interface KernelReply {
  readonly named: NamedAddresses;
  /** Where the kernel or the module would be if nothing had moved it; parallel to the request. */
  readonly linkAddresses: BigUint64Array;
  /** Index into `modules`; parallel to the request. */
  readonly moduleOf: Uint16Array;
  readonly modules: readonly KernelModuleInfo[];
  /** Changes whenever the kernel's symbols were read again: what was answered before may be outdated. */
  readonly generation: number;
}

export interface KernelModuleInfo {
  /** `[kernel.kallsyms]` or `[name]`. */
  readonly file: string;
  readonly buildId: string;
  readonly memoryStart: bigint;
  readonly memoryLimit: bigint;
}

export interface StatisticsRequest {
  readonly kind: 'statistics';
}

export interface StatisticsReply {
  readonly modules: number;
  readonly moduleBytes: number;
  readonly jitProcesses: number;
  readonly jitBytes: number;
  readonly kernelBytes: number;
  readonly debugFiles: number;
  readonly debugBytes: number;
}

export type SymbolRequest =
  | LoadRequest
  | ModuleRequest
  | DebugLoadRequest
  | DebugNameRequest
  | JitRequest
  | JitNotice
  | KernelRequest
  | StatisticsRequest;

export interface ReplyOf {
  load: LoadReply;
  module: ModuleReply;
  'debug-load': DebugLoadReply;
  'debug-name': ModuleReply;
  jit: JitReply;
  'jit-notice': undefined;
  kernel: KernelReply;
  statistics: StatisticsReply;
}

/** What could not be read since the last message; the main thread counts it. */
export interface WorkerLosses {
  readonly perf_map: number;
  readonly kallsyms: number;
  readonly debug_info: number;
}

export interface RequestEnvelope {
  readonly id: number;
  readonly request: SymbolRequest;
}

export interface ReplyEnvelope {
  readonly id: number;
  readonly reply: ReplyOf[keyof ReplyOf];
  readonly losses: WorkerLosses;
  /** Keys of modules that had to make room. */
  readonly evicted: readonly string[];
}

/** `workerData` of the symbol worker. */
export interface SymbolWorkerOptions {
  /** Bytes of symbols of files that stay resident. */
  readonly moduleBudget: number;
  /** Bytes of JIT symbols that stay resident. */
  readonly jitBudget: number;
  /** Bytes of debugging information that stay resident. */
  readonly debugBudget: number;
}
