import { basename } from 'node:path';

import type { SeriesLabels } from './identity.ts';
import { readNamespacePid } from './proc-scan.ts';
import type { ProcessContext } from './process-context.ts';
import type { ProcessMapping, ProcessView } from './process.ts';

/** What an image starts from. */
export interface ImageOrigin {
  readonly pid: number;
  readonly parentPid: number;
  readonly startTimeNs: bigint;
  readonly comm: string;
  readonly isKernelThread: boolean;
  readonly executablePath: string;
  readonly mappings: readonly ProcessMapping[];
  readonly parent: ProcessImage | undefined;
}

/**
 * One program in one process: a fork or an exec makes a new image, so that samples from before keep the mappings and the
 * name that they were taken under. Written by ProcessTable only.
 */
export class ProcessImage implements ProcessView {
  readonly pid: number;
  readonly parentPid: number;
  readonly startTimeNs: bigint;
  isKernelThread: boolean;
  executablePath: string;
  executableName: string;
  mappings: readonly ProcessMapping[];
  /** The name of its main thread; what is shown while the executable is not known. */
  comm: string;
  /** The image that it was forked from, for what it has inherited. Cut when that one is dropped, so that no chain of the dead grows. */
  parent: ProcessImage | undefined;
  /** After an exec: the next mapping of a file is the executable's. */
  awaitsExecutable = false;
  /** Mappings that a sample has hit and the symbolizer was told of; undefined until there is a sample. */
  prepared: Set<ProcessMapping> | undefined;
  /** Text that may have been moved to anonymous memory: it is looked for once more when a sample has come, the copying over. */
  moved: { readonly texts: readonly ProcessMapping[]; readonly tries: number; readonly atMs: number } | undefined;
  /** What it has published of itself; undefined until there is a sample. */
  context: ProcessContext | undefined;
  /** When its mappings were last read from /proc because an address was in none of them (CLOCK_MONOTONIC). */
  refreshedAtNs = 0;
  #namespacePid: number | undefined;
  #labels: { readonly cgroupId: bigint; readonly labels: SeriesLabels }[] = [];

  constructor(origin: ImageOrigin) {
    this.pid = origin.pid;
    this.parentPid = origin.parentPid;
    this.startTimeNs = origin.startTimeNs;
    this.comm = origin.comm;
    this.isKernelThread = origin.isKernelThread;
    this.executablePath = origin.executablePath;
    this.executableName = nameOf(origin);
    this.mappings = origin.mappings;
    this.parent = origin.parent;
  }

  /** Read from /proc when first asked for: only code that is compiled at run time needs it. */
  get namespacePid(): number {
    this.#namespacePid ??= readNamespacePid(this.pid) ?? this.pid;
    return this.#namespacePid;
  }

  /** Who it was said to be in that cgroup; undefined when nobody asked yet. A service manager moves it between fork and exec. */
  labelsIn(cgroupId: bigint): SeriesLabels | undefined {
    return this.#labels.find((each) => each.cgroupId === cgroupId)?.labels;
  }

  /** Who it was last said to be, in whatever cgroup. */
  get lastLabels(): SeriesLabels | undefined {
    return this.#labels.at(-1)?.labels;
  }

  setLabelsIn(cgroupId: bigint, labels: SeriesLabels): void {
    this.#labels.push({ cgroupId, labels });
  }

  /** What it was said to be is not all that is known by now: it is asked for once more. */
  forgetLabels(): void {
    this.#labels.length = 0;
  }

  /** The same program with another list of mappings, for samples from now on. */
  withMappings(mappings: readonly ProcessMapping[]): ProcessImage {
    const copy = new ProcessImage({ ...this.origin(), mappings });
    copy.awaitsExecutable = this.awaitsExecutable;
    copy.#labels = this.#labels;
    copy.context = this.context;
    return copy;
  }

  origin(): ImageOrigin {
    const { pid, parentPid, startTimeNs, comm, isKernelThread, executablePath, mappings, parent } = this;
    return { pid, parentPid, startTimeNs, comm, isKernelThread, executablePath, mappings, parent };
  }

  setExecutable(path: string): void {
    this.executablePath = path;
    this.executableName = nameOf(this);
  }

  setComm(comm: string): void {
    this.comm = comm;
    if (this.executablePath === '') this.executableName = nameOf(this);
  }
}

function nameOf(origin: Pick<ImageOrigin, 'comm' | 'isKernelThread' | 'executablePath'>): string {
  if (origin.isKernelThread) return `[${origin.comm}]`;
  if (origin.executablePath === '') return origin.comm;
  // The kernel marks a file that was deleted while it runs; upgraded services are such.
  return basename(origin.executablePath).replace(/ \(deleted\)$/u, '');
}
