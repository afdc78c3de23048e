/** How often it is looked at. */
const everyMs = 10_000;
/** So much more than after the last time is worth it: it takes 3 ms at 100 MB. */
const worthBytes = 24 * 1024 * 1024;

/**
 * Blocks of memory below 256 kB that were freed stay with malloc, where small ones that are used lie between them: after some thousand profiles that was half of the
 * server's memory. Gives them back when it has grown.
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
    this.#trim();
    this.#bytesAfter = process.memoryUsage.rss();
  }
}
