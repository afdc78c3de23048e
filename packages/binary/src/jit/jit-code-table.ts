import { flattenIntervals } from '../flatten-intervals.ts';
import type { FoundFunction } from '../function-table.ts';
import { GrowableFloat64Array, GrowableUint32Array } from '../growable-array.ts';
import { NameBlocks } from '../name-blocks.ts';

/** A large Java service compiles some 50,000 methods; at this number (about 30 MB) a map is either hostile or broken. */
const mostEntries = 1_000_000;

/**
 * Code that a JIT compiler has placed in a process, by process address. It grows while the process runs; code that is placed
 * over older code replaces it there.
 */
export class JitCodeTable {
  readonly #names = new NameBlocks();
  #starts: Float64Array = new Float64Array(0);
  #ends: Float64Array = new Float64Array(0);
  #nameIds: Uint32Array = new Uint32Array(0);
  #newStarts = new GrowableFloat64Array(64);
  #newEnds = new GrowableFloat64Array(64);
  #newNameIds = new GrowableUint32Array(64);

  /** Resident bytes. */
  get byteLength(): number {
    return (this.#starts.length + this.#newStarts.length) * 20 + this.#names.byteLength;
  }

  /** Whether it takes no more entries. */
  get isFull(): boolean {
    return this.#names.length >= mostEntries;
  }

  /**
   * Adds code at `[start, start + size)` and returns the number of its name for `addNamed`. Ignored (undefined) are empty code, addresses
   * beyond 2^53, and everything once the table is full.
   */
  add(start: number, size: number, name: Uint8Array): number | undefined {
    if (this.isFull || !isPlace(start, size)) return undefined;
    const nameId = this.#names.add(name);
    this.addNamed(start, size, nameId);
    return nameId;
  }

  /** Adds code under a name that is known already: a JIT that moves its code. */
  addNamed(start: number, size: number, nameId: number): void {
    if (!isPlace(start, size) || this.#newStarts.length >= mostEntries) return;
    this.#newStarts.push(start);
    this.#newEnds.push(start + size);
    this.#newNameIds.push(nameId);
  }

  /** The code that holds `address`, the youngest where several did. */
  find(address: bigint): FoundFunction | undefined {
    if (this.#newStarts.length > 0) this.#merge();
    if (address < 0n || address > BigInt(Number.MAX_SAFE_INTEGER)) return undefined;
    const wanted = Number(address);
    let low = 0;
    let high = this.#starts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#starts[middle] ?? 0) <= wanted) low = middle + 1;
      else high = middle;
    }
    const index = low - 1;
    const end = this.#ends[index];
    if (end === undefined || wanted >= end) return undefined;
    return {
      start: BigInt(this.#starts[index] ?? 0),
      end: BigInt(end),
      systemName: this.#names.get(this.#nameIds[index] ?? 0),
    };
  }

  #merge(): void {
    const old = this.#starts.length;
    const added = this.#newStarts.length;
    const starts = new Float64Array(old + added);
    const ends = new Float64Array(old + added);
    const nameIds = new Uint32Array(old + added);
    starts.set(this.#starts);
    ends.set(this.#ends);
    nameIds.set(this.#nameIds);
    starts.set(this.#newStarts.view(), old);
    ends.set(this.#newEnds.view(), old);
    nameIds.set(this.#newNameIds.view(), old);
    // The old ones do not overlap each other; among all others the later one wins.
    const flat = flattenIntervals(starts, ends, Uint32Array.from(starts.keys()));
    this.#starts = flat.starts;
    this.#ends = flat.ends;
    this.#nameIds = flat.items.map((item) => nameIds[item] ?? 0);
    this.#newStarts = new GrowableFloat64Array(64);
    this.#newEnds = new GrowableFloat64Array(64);
    this.#newNameIds = new GrowableUint32Array(64);
  }
}

function isPlace(start: number, size: number): boolean {
  return size > 0 && start >= 0 && start + size <= Number.MAX_SAFE_INTEGER;
}
