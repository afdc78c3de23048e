import type { NameBlocks } from './name-blocks.ts';

/** A function that holds an address. Addresses are absolute in the space of the table (ELF virtual, kernel, process). */
export interface FoundFunction {
  readonly start: bigint;
  readonly end: bigint;
  /** As the linker or the JIT knows it. */
  readonly systemName: string;
}

/**
 * Functions by address: disjoint, sorted, in typed arrays. 8 bytes a function (12 where starts need more than 32 bits, 4 more where functions
 * lie inside of others) and about 12 more for its name. An address between two functions has none: the nearest symbol is often the wrong one (in stripped
 * files libc's `clone3` would be shown as `__xmknodat`).
 */
export class FunctionTable {
  /** What `starts` are relative to. */
  readonly base: bigint;
  readonly names: NameBlocks;
  readonly #starts: Uint32Array | Float64Array;
  readonly #sizes: Uint32Array;
  /** Undefined where names stand in the order of the functions, each once: nearly always. */
  readonly #nameIds: Uint32Array | undefined;

  /** `starts` relative to `base`, ascending, integers below 2^53; `ends` exclusive; all of one length. */
  constructor(base: bigint, starts: Float64Array, ends: Float64Array, nameIds: Uint32Array, names: NameBlocks) {
    this.base = base;
    this.names = names;
    names.trim();
    this.#starts = (starts[starts.length - 1] ?? 0) < 2 ** 32 ? Uint32Array.from(starts) : starts;
    this.#sizes = new Uint32Array(starts.length);
    for (let i = 0; i < starts.length; i++) {
      this.#sizes[i] = Math.min((ends[i] ?? 0) - (starts[i] ?? 0), 0xffff_ffff);
    }
    this.#nameIds = nameIds.every((id, index) => id === index) ? undefined : nameIds;
  }

  get length(): number {
    return this.#starts.length;
  }

  /** Resident bytes. */
  get byteLength(): number {
    return this.#starts.byteLength + this.#sizes.byteLength + (this.#nameIds?.byteLength ?? 0) + this.names.byteLength;
  }

  /** The number of the function that holds `address`; undefined where there is none. */
  indexAt(address: bigint): number | undefined {
    const wide = address - this.base;
    if (wide < 0n || wide > BigInt(Number.MAX_SAFE_INTEGER)) return undefined;
    const relative = Number(wide);
    const starts = this.#starts;
    let low = 0;
    let high = starts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((starts[middle] ?? 0) <= relative) low = middle + 1;
      else high = middle;
    }
    const index = low - 1;
    if (index < 0 || relative - (starts[index] ?? 0) >= (this.#sizes[index] ?? 0)) return undefined;
    return index;
  }

  /** The function that holds `address`; undefined where there is none. */
  find(address: bigint): FoundFunction | undefined {
    const index = this.indexAt(address);
    return index === undefined ? undefined : this.at(index);
  }

  /** The `index`-th function in the order of addresses; throws a RangeError beyond `length`. */
  at(index: number): FoundFunction {
    if (index < 0 || index >= this.length) throw new RangeError(`function ${index} of ${this.length}`);
    const start = this.base + BigInt(this.#starts[index] ?? 0);
    return {
      start,
      end: start + BigInt(this.#sizes[index] ?? 0),
      systemName: this.names.get(this.#nameIds === undefined ? index : (this.#nameIds[index] ?? 0)),
    };
  }
}
