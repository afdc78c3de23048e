import type { Dictionary } from '../dictionary.ts';
import type { Part } from '../part.ts';
import type { CountsCell } from './counts-cell.ts';
import type { FunctionNames } from './function-names.ts';
import { type FunctionColumns, FunctionSums, FunctionTotals } from './function-sums.ts';
import { StackFunctions } from './stack-functions.ts';
import { StackSums } from './stack-sums.ts';

/** What is counted in one part, in the numbers of its dictionary. */
export class PartSums {
  readonly part: Part;
  readonly #sums: FunctionSums;
  #stacks: StackSums | null = null;
  readonly #cells = new Map<CountsCell, FunctionTotals>();
  #cell: CountsCell | null = null;

  constructor(part: Part) {
    this.part = part;
    this.#sums = new FunctionSums(part.dictionary.functions.length);
  }

  /** From here on what is added belongs to this cell. */
  use(cell: CountsCell): void {
    if (this.#cell === cell) return;
    this.#flush();
    this.#cell = cell;
  }

  addColumns({ length, ids, self, inclusive }: FunctionColumns): void {
    for (let i = 0; i < length; i++) {
      const id = ids[i] ?? 0;
      this.#sums.addInclusive(id, inclusive[i] ?? 0);
      this.#sums.addSelf(id, self[i] ?? 0);
    }
  }

  /** For samples that are to be added by stack. */
  stacks(): StackSums {
    this.#stacks ??= new StackSums(stackFunctions(this.part.dictionary));
    return this.#stacks;
  }

  /** Gives the cells what is theirs, by the ids of `names`. */
  finish(names: FunctionNames): void {
    this.#flush();
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
    if (this.#cell === null) return;
    this.#stacks?.moveTo(this.#sums);
    const totals = this.#cells.get(this.#cell) ?? new FunctionTotals();
    this.#cells.set(this.#cell, totals);
    totals.add(this.#sums.take());
    this.#cell = null;
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
