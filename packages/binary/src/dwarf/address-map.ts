/** 2^32 addresses are told apart by 4 bytes each; code that spans more takes 8. */
const widest = 2 ** 32;

/** From addresses to small numbers: each number holds from its address to the next. 8 bytes an entry as long as all are within 4 GiB. */
export class AddressMap {
  readonly #base: number;
  readonly #starts: Uint32Array | Float64Array;
  readonly #items: Int32Array;

  /** `starts` ascend. An item of -1 is a gap; there is one before the first start. */
  constructor(starts: Float64Array, items: Int32Array) {
    const base = starts[0] ?? 0;
    this.#base = base;
    this.#items = items;
    const span = (starts.at(-1) ?? 0) - base;
    if (span >= widest) {
      this.#starts = starts;
      return;
    }
    const narrow = new Uint32Array(starts.length);
    for (let i = 0; i < narrow.length; i++) narrow[i] = (starts[i] ?? 0) - base;
    this.#starts = narrow;
  }

  get byteLength(): number {
    return this.#starts.byteLength + this.#items.byteLength;
  }

  /** -1 where nothing is known. */
  find(address: number): number {
    const at = address - this.#base;
    const offset = this.#starts instanceof Uint32Array ? at : address;
    const starts = this.#starts;
    let [low, high] = [0, starts.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? -1 : (this.#items[low - 1] ?? -1);
  }

  /** Told of each stretch [start, end) without a gap. */
  visit(visit: (start: number, end: number) => void): void {
    const base = this.#starts instanceof Uint32Array ? this.#base : 0;
    let start = -1;
    for (const [i, item] of this.#items.entries()) {
      if (item >= 0 && start < 0) start = i;
      if (item >= 0 || start < 0) continue;
      visit(base + (this.#starts[start] ?? 0), base + (this.#starts[i] ?? 0));
      start = -1;
    }
  }
}
