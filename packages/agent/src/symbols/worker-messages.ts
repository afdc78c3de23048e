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
    }
  | { readonly status: 'failed'; readonly cause: LoadFailure; readonly detail: string };

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
}

export type SymbolRequest = LoadRequest | ModuleRequest | JitRequest | JitNotice | KernelRequest | StatisticsRequest;

export interface ReplyOf {
  load: LoadReply;
  module: ModuleReply;
  jit: JitReply;
  'jit-notice': undefined;
  kernel: KernelReply;
  statistics: StatisticsReply;
}

/** What could not be read since the last message; the main thread counts it. */
export interface WorkerLosses {
  readonly perf_map: number;
  readonly kallsyms: number;
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
  /** Where debug files of stripped binaries are, by build ID. */
  readonly debugDirectory: string;
}
