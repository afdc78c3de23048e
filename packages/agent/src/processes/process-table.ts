import type { LossCounters } from '../health/counters.ts';
import { findMapping, insertMapping, reconcileMappings } from './mapping-list.ts';
import { holdsText, isAnonymous, textBelow } from './moved-text.ts';
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
/** Text of 100 MB is copied to its new place in less than the last of these pauses. */
const movePausesMs: readonly number[] = [50, 200, 1000];

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
    if (image?.isKernelThread !== isKernelThread) return undefined;
    if (image.moved === undefined || performance.now() < image.moved.atMs) return image;
    this.#lookForText(image, image.moved.texts, image.moved.tries);
    return this.#images.get(pid);
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
    // What the records told is more than what is left of a process that exits while we look.
    if (result === undefined || result.isRefused || result.isLeaving) return false;
    if (result.executablePath !== image.executablePath) return false;
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
    if (result === undefined || result.isRefused || result.isLeaving) return;
    // Its first thread, or all of it, has exited: who it was is known.
    if (image !== undefined && result.executablePath === '' && !result.isKernelThread) return;
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
    const texts = isAnonymous(mapping.path) ? textBelow(image.mappings, mapping) : [];
    // The text is there again already: nothing has changed.
    const isWhole =
      texts.length > 0 &&
      texts.reduce((left, { start, end }) => left - (end - start), mapping.end - mapping.start) === 0n;
    if (isWhole && texts.every((text) => this.#holds(image, text))) return;
    this.#insert(image, mapping);
    if (texts.length > 0) this.#lookForText(this.#known(pid, 0), texts, 0);
    const current = this.#known(pid, 0);
    if (current.awaitsExecutable && mapping.path.startsWith('/') && !mapping.path.startsWith('//')) {
      current.awaitsExecutable = false;
      current.setExecutable(mapping.path);
    }
  }

  #holds({ pid, executablePath }: ProcessImage, text: ProcessMapping): boolean {
    return holdsText({ pid, executablePath, text }, this.#procRoot);
  }

  /** Puts texts of files into the list that lie in anonymous memory now; those that do not may do so later. */
  #lookForText(image: ProcessImage, texts: readonly ProcessMapping[], tries: number): void {
    image.moved = undefined;
    let current = image;
    const missing: ProcessMapping[] = [];
    for (const text of texts) {
      const now = findMapping(current.mappings, text.start);
      if (now === undefined || !isAnonymous(now.path)) continue;
      if (this.#holds(image, text)) current = this.#insert(current, text);
      else missing.push(text);
    }
    const pauseMs = movePausesMs[tries];
    if (missing.length === 0 || pauseMs === undefined) return;
    current.moved = { texts: missing, tries: tries + 1, atMs: performance.now() + pauseMs };
  }

  /** Answers the image that has the mapping. */
  #insert(image: ProcessImage, mapping: ProcessMapping): ProcessImage {
    const { mappings, isReplaced } = insertMapping(image.mappings, mapping);
    if (mappings === image.mappings) return image;
    // Samples that were taken under the old list keep it; without any, there is nothing to keep.
    if (isReplaced && image.prepared !== undefined) {
      const other = image.withMappings(mappings);
      this.#images.set(image.pid, other);
      return other;
    }
    image.mappings = mappings;
    return image;
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
