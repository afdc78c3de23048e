import type { FunctionSums } from './function-sums.ts';
import type { StackFunctions } from './stack-functions.ts';

/** Samples by stack that are to become samples by function. */
export class StackSums {
  readonly #functions: StackFunctions;
  readonly #counts: Float64Array;
  readonly #isTouched: Uint8Array;
  readonly #touched: Uint32Array;
  #touchedCount = 0;
  /** Frames of the touched stacks, together. */
  #frames = 0;

  constructor(functions: StackFunctions) {
    this.#functions = functions;
    this.#counts = new Float64Array(functions.length);
    this.#isTouched = new Uint8Array(functions.length);
    this.#touched = new Uint32Array(functions.length);
  }

  add(stack: number, count: number): void {
    if (this.#isTouched[stack] === 0) {
      this.#isTouched[stack] = 1;
      this.#touched[this.#touchedCount++] = stack;
      this.#frames += this.#functions.depth(stack);
    }
    this.#counts[stack] = (this.#counts[stack] ?? 0) + count;
  }

  /** Empties it into sums by function: along each stack, or once over all stacks, whichever is less. */
  moveTo(sums: FunctionSums): void {
    const functions = this.#functions;
    const isSweep = this.#frames > functions.length;
    let last = 0;
    for (let i = 0; i < this.#touchedCount; i++) {
      const stack = this.#touched[i] ?? 0;
      const count = this.#counts[stack] ?? 0;
      this.#isTouched[stack] = 0;
      last = Math.max(last, stack);
      const self = functions.selfOf(stack);
      if (self > 0) sums.addSelf(self, count);
      if (isSweep) continue;
      this.#counts[stack] = 0;
      for (let at = stack; at > 0; at = functions.parent(at)) functions.addFirsts(at, count, sums);
    }
    this.#touchedCount = 0;
    this.#frames = 0;
    if (!isSweep) return;
    // Callers have smaller numbers: what a stack has is complete when it is its turn.
    for (let stack = last; stack > 0; stack--) {
      const count = this.#counts[stack] ?? 0;
      if (count === 0) continue;
      this.#counts[stack] = 0;
      const parent = functions.parent(stack);
      this.#counts[parent] = (this.#counts[parent] ?? 0) + count;
      functions.addFirsts(stack, count, sums);
    }
    this.#counts[0] = 0;
  }
}
