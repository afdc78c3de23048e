export interface TrimmingOptions {
  /** How often it is looked at. */
  readonly everyMs: number;
  readonly residentBytes: () => number;
}

const defaults: TrimmingOptions = { everyMs: 5000, residentBytes: () => process.memoryUsage.rss() };
/** So much more than after the last time is worth it: it takes 3 ms at 100 MB. */
const worthBytes = 16 * 1024 * 1024;

/**
 * Blocks of memory that were freed stay with malloc, where small ones that are used lie between them: when it kept those below 256 kB, 8,000 profiles left 90 MB with it, of which a third was used.
 * It keeps up to 4 MB even where nothing lies between, so that the next question need not ask the kernel for pages. Gives all of that back when memory has grown.
 */
export class Trimming {
  readonly #trim: () => void;
  readonly #residentBytes: () => number;
  readonly #timer: NodeJS.Timeout;
  #bytesAfter = 0;

  constructor(trim: () => void, { everyMs, residentBytes }: TrimmingOptions = defaults) {
    this.#trim = trim;
    this.#residentBytes = residentBytes;
    this.#timer = setInterval(() => this.#trimIfMuch(), everyMs).unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #trimIfMuch(): void {
    const bytes = this.#residentBytes();
    this.#bytesAfter = Math.min(this.#bytesAfter, bytes);
    if (bytes - this.#bytesAfter < worthBytes) return;
    // The next look sees what is left: the one who trims may do it a moment later.
    this.#bytesAfter = bytes;
    this.#trim();
  }
}
