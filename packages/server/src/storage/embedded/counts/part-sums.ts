import type { Part } from '../part.ts';
import { larger } from '../word-table.ts';
import { compactStacks } from './compact-stacks.ts';
import type { CountsCell } from './counts-cell.ts';
import type { FunctionNames } from './function-names.ts';
import { type FunctionColumns, FunctionSums, FunctionTotals } from './function-sums.ts';
import { StackFunctions } from './stack-functions.ts';
import { StackSums } from './stack-sums.ts';

/** Samples of cells that wait to be counted by function take so much together: some hundred steps of a large service. */
const maxWaitingBytes = 24 * 1024 * 1024;

/** What is counted in one part, in the numbers of its dictionary. */
export class PartSums {
  readonly part: Part;
  readonly #sums: FunctionSums;
  readonly #cells = new Map<CountsCell, FunctionTotals>();
  /** The cell that `#sums` belongs to. */
  #cell: CountsCell | null = null;
  /** By number in the part's vectors: place + 1 of those that were met. */
  #placeOf = new Uint32Array(0);
  /** By place: the number in vectors. */
  #leaves = new Uint32Array(1024);
  #places = 0;
  /** By place. Series by series a cell comes again and again, and each time would cost a walk. */
  readonly #waiting = new Map<CountsCell, Float64Array>();
  #waitingBytes = 0;
  readonly #free: Float64Array[] = [];
  #functions: { readonly places: number; readonly numbers: Uint32Array; readonly functions: StackFunctions } | null =
    null;

  constructor(part: Part) {
    this.part = part;
    this.#sums = new FunctionSums(part.dictionary.functions.length);
  }

  addColumns(cell: CountsCell, { length, ids, self, inclusive }: FunctionColumns): void {
    if (this.#cell !== cell) this.#flush();
    this.#cell = cell;
    for (let i = 0; i < length; i++) {
      const id = ids[i] ?? 0;
      this.#sums.addInclusive(id, inclusive[i] ?? 0);
      this.#sums.addSelf(id, self[i] ?? 0);
    }
  }

  /** The place of each number in a vector, so many of them, for `samples`. Valid until the next call. */
  places(leaves: Uint32Array, length: number): Uint32Array {
    if (this.#placeOf.length === 0) {
      const { leaves: stacks, dictionary } = this.part;
      this.#placeOf = new Uint32Array(stacks?.length ?? dictionary.stacks.length);
    }
    const placeOf = this.#placeOf;
    for (let i = 0; i < length; i++) {
      const leaf = leaves[i] ?? 0;
      if (placeOf[leaf] !== 0) continue;
      if (leaf >= placeOf.length) throw new RangeError(`stack ${leaf} is not in the dictionary`);
      if (this.#places === this.#leaves.length) this.#leaves = larger(this.#leaves, this.#places * 2);
      this.#leaves[this.#places++] = leaf;
      placeOf[leaf] = this.#places;
    }
    return placeOf;
  }

  /** Where samples are to be added, by place less 1; there is room for all places so far. */
  samples(cell: CountsCell): Float64Array {
    let known = this.#waiting.get(cell);
    if (known !== undefined && known.length >= this.#places) return known;
    const length = this.#leaves.length;
    const bytes = length * Float64Array.BYTES_PER_ELEMENT;
    if (this.#waitingBytes + bytes > maxWaitingBytes) {
      this.#count();
      known = undefined;
    }
    const free = this.#free.pop();
    const samples = free !== undefined && free.length >= this.#places ? free : new Float64Array(length);
    if (known !== undefined) samples.set(known);
    this.#waitingBytes += bytes;
    this.#waiting.set(cell, samples);
    return samples;
  }

  /** Gives the cells what is theirs, by the ids of `names`. */
  finish(names: FunctionNames): void {
    this.#flush();
    this.#count();
    const { dictionary } = this.part;
    const isUsed = new Uint8Array(dictionary.functions.length);
    for (const { ids } of this.#cells.values()) for (const number of ids) isUsed[number] = 1;
    const idOf = new Uint32Array(isUsed.length);
    let isInOrder = true;
    let previous = -1;
    for (let number = 0; number < isUsed.length; number++) {
      if (isUsed[number] !== 1) continue;
      const id = names.idOf(dictionary, number);
      idOf[number] = id;
      if (id < previous) isInOrder = false;
      previous = id;
    }
    const sums = new FunctionSums(names.name.length);
    for (const [cell, totals] of this.#cells) {
      this.#cells.delete(cell);
      const { ids, self, inclusive } = totals;
      for (let i = 0; i < ids.length; i++) ids[i] = idOf[ids[i] ?? 0] ?? 0;
      if (isInOrder && cell.functions.length === 0) {
        cell.functions = totals;
        continue;
      }
      for (let i = 0; i < ids.length; i++) {
        sums.addInclusive(ids[i] ?? 0, inclusive[i] ?? 0);
        sums.addSelf(ids[i] ?? 0, self[i] ?? 0);
      }
      cell.functions.add(sums.take());
    }
  }

  #flush(): void {
    if (this.#cell !== null) this.#moveSums(this.#cell);
    this.#cell = null;
  }

  /** Counts by function what waits. */
  #count(): void {
    if (this.#waiting.size === 0) return;
    this.#flush();
    const { numbers, functions } = this.#stackFunctions();
    const stacks = new StackSums(functions);
    for (const [cell, samples] of this.#waiting) {
      for (let place = 0; place < this.#places; place++) {
        const count = samples[place] ?? 0;
        if (count === 0) continue;
        samples[place] = 0;
        stacks.add(numbers[place] ?? 0, count);
      }
      stacks.moveTo(this.#sums);
      this.#moveSums(cell);
      this.#free.push(samples);
    }
    this.#waiting.clear();
    this.#waitingBytes = 0;
  }

  /** Of the stacks that were met, whose number is by place. */
  #stackFunctions() {
    if (this.#functions?.places === this.#places) return this.#functions;
    const { leaves, dictionary } = this.part;
    const met = this.#leaves.subarray(0, this.#places);
    const compact = compactStacks(dictionary, leaves === null ? met : met.map((leaf) => leaves[leaf] ?? 0));
    const functions = new StackFunctions(dictionary, compact);
    this.#functions = { places: this.#places, numbers: compact.numbers, functions };
    return this.#functions;
  }

  #moveSums(cell: CountsCell): void {
    const totals = this.#cells.get(cell) ?? new FunctionTotals();
    this.#cells.set(cell, totals);
    totals.add(this.#sums.take());
  }
}
