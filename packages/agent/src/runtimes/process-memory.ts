import { closeSync, openSync } from 'node:fs';
import { asResult, type UnwindMemory } from '@everflame/binary';
import { pread } from '../kernel/libc.ts';

const pageBytes = 4096;
/** Pages that are kept of a process between two calls of `refresh`: 1 MB. */
const mostPages = 256;
/** Pages that are read of all processes at a time, some 3 µs each: 4 MB. What is asked beyond that is not there. */
const mostReads = 1024;

/** Pages that are made at a time. */
const slabPages = 64;

/**
 * What all processes together may cost until `renew`, and the memory that their pages are read into: an ArrayBuffer for each page, some thousand a second,
 * makes V8 collect its whole heap twice a second.
 */
export class ReadBudget {
  /** Pages that were read. */
  reads = 0;
  readonly #pages: Buffer[] = [];
  #taken = 0;

  /** Room for one page, until `renew`. */
  page(): Buffer {
    if (this.#taken === this.#pages.length) {
      const slab = Buffer.allocUnsafeSlow(slabPages * pageBytes);
      for (let at = 0; at < slab.length; at += pageBytes) this.#pages.push(slab.subarray(at, at + pageBytes));
    }
    const page = this.#pages[this.#taken++];
    if (page === undefined) throw new Error('a slab without pages');
    return page;
  }

  /** Call `refresh` of every memory that has this budget, too: their pages are used again. */
  renew(): void {
    this.reads = 0;
    this.#taken = 0;
  }
}

/**
 * Memory of another process. The descriptor belongs to one address space: when the process executes another program or ends, reads fail, and the PID
 * of another process is never read. Everything that comes out may be a lie or half written: whoever reads checks it.
 */
export class ProcessMemory implements UnwindMemory {
  low = 0;
  high = 0;
  /** Counts what `refresh` was called for. */
  generation = 0;
  readonly #fd: number;
  readonly #pages = new Map<number, Buffer | undefined>();
  /** The page that was asked for last: most words are read beside the one before. */
  #lastStart = -1;
  #lastPage: Buffer | undefined;
  readonly #budget: ReadBudget;
  #isClosed = false;
  #isGone = false;

  private constructor(fd: number, budget: ReadBudget) {
    this.#fd = fd;
    this.#budget = budget;
  }

  /** Undefined where the process is gone or may not be read. */
  static open(pid: number, budget: ReadBudget): ProcessMemory | undefined {
    const opened = asResult(() => openSync(`/proc/${pid}/mem`, 'r'));
    return opened.ok ? new ProcessMemory(opened.value, budget) : undefined;
  }

  /** What was read before may have changed. */
  refresh(): void {
    this.generation++;
    this.#forgetPages();
  }

  /** The process has given its memory back: it has ended, or executes another program. */
  get isGone(): boolean {
    return this.#isGone;
  }

  /** More was asked for than is read at a time. */
  get isExhausted(): boolean {
    return this.#budget.reads >= mostReads;
  }

  load(address: number): boolean {
    const at = address % pageBytes;
    if (at > pageBytes - 8) return this.#loadAcross(address);
    const page = this.#page(address - at);
    if (page === undefined) return false;
    this.low = page.readUInt32LE(at);
    this.high = page.readUInt32LE(at + 4);
    return true;
  }

  /** A 64-bit word; undefined where it cannot be read. Words above 2^53 are rounded: no address is. */
  word(address: number): number | undefined {
    return this.load(address) ? this.high * 2 ** 32 + this.low : undefined;
  }

  /** 16 bits that lie in one page. */
  uint16(address: number): number | undefined {
    const at = address % pageBytes;
    return at > pageBytes - 2 ? undefined : this.#page(address - at)?.readUInt16LE(at);
  }

  /** 32 bits that lie in one page. */
  int32(address: number): number | undefined {
    const at = address % pageBytes;
    return at > pageBytes - 4 ? undefined : this.#page(address - at)?.readInt32LE(at);
  }

  /** Do these bytes stand there? */
  holds(address: number, bytes: Buffer): boolean {
    const at = address % pageBytes;
    if (at + bytes.length > pageBytes) return this.bytes(address, bytes.length)?.equals(bytes) ?? false;
    return this.#page(address - at)?.compare(bytes, 0, bytes.length, at, at + bytes.length) === 0;
  }

  /** Exactly `length` bytes, which are the caller's. */
  bytes(address: number, length: number): Buffer | undefined {
    if (!(length >= 0 && address >= 0 && address + length < 2 ** 47)) return undefined;
    const bytes = Buffer.allocUnsafe(length);
    // What is larger than some pages is asked for at once.
    if (length > 4 * pageBytes) return this.#read(bytes, address) === length ? bytes : undefined;
    for (let done = 0; done < length;) {
      const at = (address + done) % pageBytes;
      const page = this.#page(address + done - at);
      if (page === undefined) return undefined;
      done += page.copy(bytes, done, at, Math.min(pageBytes, at + length - done));
    }
    return bytes;
  }

  close(): void {
    if (!this.#isClosed) closeSync(this.#fd);
    this.#isClosed = true;
    this.#forgetPages();
  }

  #forgetPages(): void {
    this.#pages.clear();
    this.#lastStart = -1;
    this.#lastPage = undefined;
  }

  #loadAcross(address: number): boolean {
    const bytes = this.bytes(address, 8);
    if (bytes === undefined) return false;
    this.low = bytes.readUInt32LE(0);
    this.high = bytes.readUInt32LE(4);
    return true;
  }

  #page(start: number): Buffer | undefined {
    if (start === this.#lastStart) return this.#lastPage;
    let page = this.#pages.get(start);
    if (page === undefined && !this.#pages.has(start)) {
      page = this.#readPage(start);
      if (this.#pages.size >= mostPages) this.#pages.clear();
      this.#pages.set(start, page);
    }
    this.#lastStart = start;
    this.#lastPage = page;
    return page;
  }

  #readPage(start: number): Buffer | undefined {
    const page = this.isExhausted ? undefined : this.#budget.page();
    return page !== undefined && this.#read(page, start) === pageBytes ? page : undefined;
  }

  #read(bytes: Buffer, address: number): number {
    if (!(address >= 0 && address < 2 ** 47) || this.isExhausted || this.#isClosed) return 0;
    this.#budget.reads += Math.ceil(bytes.length / pageBytes);
    const read = pread(this.#fd, bytes, address);
    // The end of a file that has none: there is no address space behind it any more (fs/proc/base.c, mem_rw).
    if (read === 0) this.#isGone = true;
    return Math.max(0, read);
  }
}

/** A word of what was read, as a number: addresses have less than 2^53. */
export function wordIn(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at + 4) * 2 ** 32 + bytes.readUInt32LE(at);
}

/** Of what is kept for long: the least slice of the pool that Node.js gives small buffers from holds all of its 64 KB. */
export function ownCopy(bytes: Buffer): Buffer;
export function ownCopy(bytes: Buffer | undefined): Buffer | undefined;
export function ownCopy(bytes: Buffer | undefined): Buffer | undefined {
  if (bytes === undefined) return undefined;
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(copy);
  return copy;
}
