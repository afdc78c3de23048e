import type { ProcessContext } from './process-context.ts';

/**
 * A process as the agent knows it, from its first record until its last sample has been named.
 * Owned by the process table; everyone else reads.
 */
export interface ProcessView {
  /** In the root PID namespace, as the kernel reports it. */
  readonly pid: number;
  /** In the process's own PID namespace (last of `NSpid:`): the number in `/tmp/perf-PID.map`. Equal to `pid` outside containers. */
  readonly namespacePid: number;
  /** Distinguishes a reused PID: the clock value (CLOCK_MONOTONIC, ns) of its fork, or 0n for one found in /proc. */
  readonly startTimeNs: bigint;
  /** Path of the executable in the process's mount namespace; '' for a kernel thread. */
  readonly executablePath: string;
  /** File name of the executable; the comm in brackets for a kernel thread (`[kworker/0:1]`). */
  readonly executableName: string;
  /** Executable mappings, sorted by `start`, not overlapping. */
  readonly mappings: readonly ProcessMapping[];
  readonly isKernelThread: boolean;
  /** What it has published of itself; undefined where it has not been looked for. */
  readonly context?: ProcessContext | undefined;
}

/** One executable mapping. Addresses are those of the process. */
export interface ProcessMapping {
  readonly start: bigint;
  /** Exclusive. */
  readonly end: bigint;
  /** Offset in the file of `start`. */
  readonly fileOffset: bigint;
  /** As the kernel prints it: a path, `[vdso]`, `//anon`, `/memfd:name (deleted)`, … */
  readonly path: string;
  /** Hex; '' when the record carried none (then device, inode and generation tell the file). */
  readonly buildId: string;
  readonly device: string;
  readonly inode: bigint;
}
