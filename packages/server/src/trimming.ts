/** How often it is looked at. */
const everyMs = 10_000;
/** So much more than after the last time is worth it: it takes 3 ms at 100 MB. */
const worthBytes = 24 * 1024 * 1024;

/**
 * Blocks of memory below 256 kB that were freed stay with malloc, where small ones that are used lie between them: 8,000 profiles left 90 MB with it, of which a third was
 * used. Gives them back when memory has grown.
 */
export class Trimming {
  readonly #trim: () => void;
  readonly #timer: NodeJS.Timeout;
  #bytesAfter = 0;

  constructor(trim: () => void) {
    this.#trim = trim;
    this.#timer = setInterval(() => this.#trimIfMuch(), everyMs).unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #trimIfMuch(): void {
    const bytes = process.memoryUsage.rss();
    this.#bytesAfter = Math.min(this.#bytesAfter, bytes);
    if (bytes - this.#bytesAfter < worthBytes) return;
    // The next look sees what is left: the one who trims may do it a moment later.
    this.#bytesAfter = bytes;
    this.#trim();
  }
}
