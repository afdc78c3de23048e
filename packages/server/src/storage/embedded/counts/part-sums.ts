import type { Dictionary } from '../dictionary.ts';
import type { Part } from '../part.ts';
import type { CountsCell } from './counts-cell.ts';
import type { FunctionNames } from './function-names.ts';
import { type FunctionColumns, FunctionSums, FunctionTotals } from './function-sums.ts';
import { StackFunctions } from './stack-functions.ts';
import { StackSums } from './stack-sums.ts';

/** Samples of cells that wait to be counted by function take so much together: some hundred steps of a large service. */
const maxWaitingBytes = 48 * 1024 * 1024;

/** What is counted in one part, in the numbers of its dictionary. */
export class PartSums {
  readonly part: Part;
  readonly #sums: FunctionSums;
  readonly #cells = new Map<CountsCell, FunctionTotals>();
  /** The cell that `#sums` belongs to. */
  #cell: CountsCell | null = null;
  /** By number in the part's vectors. Series by series a cell comes again and again, and each time would cost a walk. */
  readonly #waiting = new Map<CountsCell, Float64Array>();
  readonly #free: Float64Array[] = [];

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

  /** Where samples are to be added, by their number in vectors. */
  samples(cell: CountsCell): Float64Array {
    const known = this.#waiting.get(cell);
    if (known !== undefined) return known;
    const { leaves, dictionary } = this.part;
    const length = leaves?.length ?? dictionary.stacks.length;
    if ((this.#waiting.size + 1) * length * Float64Array.BYTES_PER_ELEMENT > maxWaitingBytes) this.#count();
    const samples = this.#free.pop() ?? new Float64Array(length);
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
    const { leaves, dictionary } = this.part;
    const stacks = new StackSums(stackFunctions(dictionary));
    for (const [cell, samples] of this.#waiting) {
      for (let i = 0; i < samples.length; i++) {
        const count = samples[i] ?? 0;
        if (count === 0) continue;
        samples[i] = 0;
        stacks.add(leaves === null ? i : (leaves[i] ?? 0), count);
      }
      stacks.moveTo(this.#sums);
      this.#moveSums(cell);
      this.#free.push(samples);
    }
    this.#waiting.clear();
  }

  #moveSums(cell: CountsCell): void {
    const totals = this.#cells.get(cell) ?? new FunctionTotals();
    this.#cells.set(cell, totals);
    totals.add(this.#sums.take());
  }
}

/** Of an epoch the dictionary grows: then they are made anew. */
const known = new WeakMap<Dictionary, StackFunctions>();

function stackFunctions(dictionary: Dictionary): StackFunctions {
  let functions = known.get(dictionary);
  if (functions?.length !== dictionary.stacks.length) {
    functions = new StackFunctions(dictionary);
    known.set(dictionary, functions);
  }
  return functions;
}
