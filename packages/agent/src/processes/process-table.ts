import type { LossCounters } from '../health/counters.ts';
import { insertMapping, reconcileMappings } from './mapping-list.ts';
import type { PerfRecord } from './perf-record.ts';
import { listPids, scanProcess } from './proc-scan.ts';
import type { ProcessMapping } from './process.ts';
import { type ImageOrigin, ProcessImage } from './process-image.ts';

/** Told of what happens to processes, in order of time. */
export interface ProcessListener {
  /** A process was born, with the image of its parent. */
  forked?(child: ProcessImage, parentPid: number): void;
  /** Another program runs under the PID. */
  executed?(image: ProcessImage): void;
}

/** An address of a running process that is in no mapping sends us to /proc; not more often than this. */
const refreshPauseNs = 5e9;

/**
 * The processes of this host at one instant, moved on record by record. A process that has exited stays until `reconcile`,
 * since its last samples (it exits in the kernel) come after its EXIT record.
 */
export class ProcessTable {
  readonly #images = new Map<number, ProcessImage>();
  readonly #exited = new Set<number>();
  /** Not in /proc any more when `reconcile` looked last. */
  #gone = new Set<ProcessImage>();
  readonly #retired: ProcessImage[] = [];
  readonly #losses: LossCounters;
  readonly #procRoot: string;
  readonly #listener: ProcessListener;
  #hasLostRecords = false;

  constructor(options: {
    readonly losses: LossCounters;
    readonly procRoot?: string;
    readonly listener?: ProcessListener;
  }) {
    this.#losses = options.losses;
    this.#procRoot = options.procRoot ?? '/proc';
    this.#listener = options.listener ?? {};
  }

  get size(): number {
    return this.#images.size;
  }

  /** How many have exited since the last `reconcile`. */
  get exitedCount(): number {
    return this.#exited.size;
  }

  /**
   * Reads all of /proc. Call it once the kernel's records are being collected and before they are applied: a record that
   * says what the scan saw already changes nothing.
   */
  scan(): void {
    for (const pid of listPids(this.#procRoot)) this.#images.set(pid, this.#fromProc(pid, 0n, ''));
    for (const image of this.#images.values()) image.parent = this.#images.get(image.parentPid);
  }

  apply(record: PerfRecord): void {
    switch (record.kind) {
      case 'mmap':
        this.#mapped(record.pid, record.mapping);
        break;
      case 'comm':
        this.#named(record);
        break;
      case 'fork':
        if (record.pid !== record.parentPid) this.#forked(record.pid, record.parentPid, record.timeNs);
        break;
      case 'exit':
        if (record.pid === record.tid) this.#exited.add(record.pid);
        break;
      case 'lost':
        this.#losses.add('records_lost', 'perf_buffer_full', record.lost);
        this.#hasLostRecords = true;
        break;
      case 'malformed':
        this.#losses.add('records_lost', 'malformed');
        this.#hasLostRecords = true;
        break;
    }
  }

  /** Has it neither exited nor executed another program? */
  isCurrent(image: ProcessImage): boolean {
    return this.#images.get(image.pid) === image && !this.#exited.has(image.pid);
  }

  /** The process of a sample, if it is known. */
  find(pid: number, isKernelThread: boolean): ProcessImage | undefined {
    const image = this.#images.get(pid);
    return image?.isKernelThread === isKernelThread ? image : undefined;
  }

  /** The process of a sample. One that no record told of is looked up in /proc, and named by its comm if it is gone. */
  get(pid: number, comm: string, isKernelThread: boolean): ProcessImage {
    let image = this.#images.get(pid);
    if (image === undefined) {
      image = this.#fromProc(pid, 0n, comm);
      this.#images.set(pid, image);
    }
    if (isKernelThread && !image.isKernelThread) {
      image = new ProcessImage({ ...image.origin(), isKernelThread, executablePath: '', mappings: [], comm });
      this.#images.set(pid, image);
    }
    return image;
  }

  /** An address of `image` is in none of its mappings: looks into /proc, if that was not done just now. Answers whether anything is new. */
  refresh(image: ProcessImage, nowNs: number): boolean {
    if (nowNs - image.refreshedAtNs < refreshPauseNs || this.#images.get(image.pid) !== image) return false;
    image.refreshedAtNs = nowNs;
    const result = scanProcess(image.pid, this.#procRoot);
    if (result === undefined || result.isRefused || result.executablePath !== image.executablePath) return false;
    image.mappings = reconcileMappings(image.mappings, result.mappings);
    return true;
  }

  /**
   * Drops the processes that were gone already at the last call (their last samples have come since), and mends the table
   * from /proc when records were lost. Call it every few seconds.
   */
  reconcile(): void {
    const alive = new Set(listPids(this.#procRoot));
    const gone = new Set<ProcessImage>();
    for (const [pid, image] of this.#images) {
      if (alive.has(pid)) continue;
      if (!this.#gone.has(image)) {
        gone.add(image);
      } else {
        this.#images.delete(pid);
        image.parent = undefined;
        this.#retire(image);
      }
    }
    this.#gone = gone;
    this.#exited.clear();
    if (this.#hasLostRecords) {
      this.#hasLostRecords = false;
      for (const pid of alive) this.#rescan(pid);
    }
  }

  /** Images that had samples and get no more: exited, or another program runs under their PID. Each is answered once. */
  takeRetired(): readonly ProcessImage[] {
    return this.#retired.splice(0);
  }

  #retire(image: ProcessImage | undefined): void {
    if (image?.prepared !== undefined) this.#retired.push(image);
  }

  #rescan(pid: number): void {
    const image = this.#images.get(pid);
    const result = scanProcess(pid, this.#procRoot);
    if (result === undefined || result.isRefused) return;
    if (image === undefined || image.executablePath !== result.executablePath) {
      this.#retire(image);
      this.#images.set(
        pid,
        new ProcessImage({ ...result, startTimeNs: image?.startTimeNs ?? 0n, parent: image?.parent }),
      );
    } else {
      image.mappings = reconcileMappings(image.mappings, result.mappings);
    }
  }

  #fromProc(pid: number, startTimeNs: bigint, comm: string): ProcessImage {
    const result = scanProcess(pid, this.#procRoot);
    if (result === undefined) return new ProcessImage({ ...nobody, pid, startTimeNs, comm });
    if (result.isRefused) this.#losses.add('reads_failed', 'permission');
    return new ProcessImage({ ...result, startTimeNs, parent: this.#images.get(result.parentPid) });
  }

  #known(pid: number, timeNs: number): ProcessImage {
    let image = this.#images.get(pid);
    if (image === undefined) {
      image = this.#fromProc(pid, BigInt(Math.trunc(timeNs)), '');
      this.#images.set(pid, image);
    }
    return image;
  }

  #mapped(pid: number, mapping: ProcessMapping): void {
    const image = this.#known(pid, 0);
    const { mappings, isReplaced } = insertMapping(image.mappings, mapping);
    if (mappings !== image.mappings) {
      // Samples that were taken under the old list keep it; without any, there is nothing to keep.
      if (isReplaced && image.prepared !== undefined) this.#images.set(pid, image.withMappings(mappings));
      else image.mappings = mappings;
    }
    const current = this.#known(pid, 0);
    if (current.awaitsExecutable && mapping.path.startsWith('/') && !mapping.path.startsWith('//')) {
      current.awaitsExecutable = false;
      current.setExecutable(mapping.path);
    }
  }

  #named(record: Extract<PerfRecord, { kind: 'comm' }>): void {
    const before = this.#known(record.pid, record.timeNs);
    if (!record.isExec) {
      if (record.pid === record.tid) before.setComm(record.comm);
      return;
    }
    const image = new ProcessImage({
      pid: record.pid,
      parentPid: before.parentPid,
      startTimeNs: before.startTimeNs,
      parent: before.parent,
      comm: record.comm,
      isKernelThread: false,
      executablePath: '',
      mappings: [],
    });
    image.awaitsExecutable = true;
    this.#retire(before);
    this.#images.set(record.pid, image);
    this.#listener.executed?.(image);
  }

  #forked(pid: number, parentPid: number, timeNs: number): void {
    const startTimeNs = BigInt(Math.trunc(timeNs));
    const parent = this.#images.get(parentPid);
    // The list is shared: it is never written, only replaced.
    const child =
      parent === undefined
        ? this.#fromProc(pid, startTimeNs, '')
        : new ProcessImage({ ...parent.origin(), pid, parentPid, startTimeNs, parent });
    this.#retire(this.#images.get(pid));
    this.#images.set(pid, child);
    this.#exited.delete(pid);
    this.#listener.forked?.(child, parentPid);
  }
}

const nobody: ImageOrigin = {
  pid: 0,
  parentPid: 0,
  startTimeNs: 0n,
  comm: '',
  isKernelThread: false,
  executablePath: '',
  mappings: [],
  parent: undefined,
};
