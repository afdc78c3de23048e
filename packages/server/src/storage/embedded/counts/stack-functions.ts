import { type Dictionary, functionWords, lineWords, locationWords, stackWords } from '../dictionary.ts';
import type { FunctionSums } from './function-sums.ts';

/** For each function of a dictionary the first one with the same name and file; 0 for one without a name. */
export function distinctFunctions({ functions, strings }: Dictionary): Uint32Array {
  const { words, length } = functions;
  const first = new Map<number, number>();
  const distinct = new Uint32Array(length);
  for (let row = 1; row < length; row++) {
    const at = row * functionWords.count;
    const name = words[at + functionWords.name] ?? 0;
    if ((strings[name] ?? '') === '') continue;
    const key = name * strings.length + (words[at + functionWords.file] ?? 0);
    const known = first.get(key);
    distinct[row] = known ?? row;
    if (known === undefined) first.set(key, row);
  }
  return distinct;
}

/**
 * The functions of a dictionary's stacks, so that samples counted by stack become samples counted by function, each function
 * once per sample. Numbers are those of `distinctFunctions`. About 30 bytes a stack.
 */
export class StackFunctions {
  readonly distinct: Uint32Array;
  readonly length: number;
  readonly #parents: Uint32Array;
  readonly #depths: Uint32Array;
  readonly #selves: Uint32Array;
  /** Functions that a stack has and its caller has not: `#firsts[#start[s]…#end[s]]`. */
  readonly #start: Uint32Array;
  readonly #end: Uint32Array;
  #firsts = new Uint32Array(4096);

  /** `stacks`: those of the dictionary, or some of them with numbers of their own (`compactStacks`). */
  constructor(
    dictionary: Dictionary,
    stacks: { readonly length: number; readonly words: Uint32Array } = dictionary.stacks,
  ) {
    const { length } = stacks;
    this.distinct = distinctFunctions(dictionary);
    this.length = length;
    this.#parents = new Uint32Array(length);
    this.#depths = new Uint32Array(length);
    this.#selves = new Uint32Array(length);
    this.#start = new Uint32Array(length);
    this.#end = new Uint32Array(length);
    const firstChild = new Uint32Array(length);
    const nextSibling = new Uint32Array(length);
    for (let stack = length - 1; stack > 0; stack--) {
      const parent = stacks.words[stack * stackWords.count + stackWords.parent] ?? 0;
      this.#parents[stack] = parent;
      nextSibling[stack] = firstChild[parent] ?? 0;
      firstChild[parent] = stack;
    }
    for (let stack = 1; stack < length; stack++) {
      this.#depths[stack] = (this.#depths[this.#parents[stack] ?? 0] ?? 0) + 1;
    }

    const lines = new LocationFunctions(dictionary, this.distinct);
    const onPath = new Uint32Array(this.distinct.length);
    let firsts = 0;
    const met = (own: number) => {
      const times = onPath[own] ?? 0;
      onPath[own] = times + 1;
      if (times > 0 || own === 0) return;
      if (firsts === this.#firsts.length) this.#firsts = doubled(this.#firsts);
      this.#firsts[firsts++] = own;
    };
    const enter = (stack: number) => {
      const location = stacks.words[stack * stackWords.count + stackWords.location] ?? 0;
      this.#start[stack] = firsts;
      const only = lines.only[location] ?? 0;
      if (only !== several) {
        this.#selves[stack] = only;
        met(only);
      } else {
        const all = lines.all(location);
        for (const own of all) met(own);
        this.#selves[stack] = all.at(-1) ?? 0;
      }
      this.#end[stack] = firsts;
    };
    const leave = (stack: number) => {
      const location = stacks.words[stack * stackWords.count + stackWords.location] ?? 0;
      const only = lines.only[location] ?? 0;
      if (only !== several) onPath[only] = (onPath[only] ?? 1) - 1;
      else for (const own of lines.all(location)) onPath[own] = (onPath[own] ?? 1) - 1;
    };
    for (let stack = firstChild[0] ?? 0; stack !== 0;) {
      enter(stack);
      let next = firstChild[stack] ?? 0;
      while (next === 0 && stack !== 0) {
        leave(stack);
        next = nextSibling[stack] ?? 0;
        stack = this.#parents[stack] ?? 0;
      }
      stack = next;
    }
  }

  depth(stack: number): number {
    return this.#depths[stack] ?? 0;
  }

  parent(stack: number): number {
    return this.#parents[stack] ?? 0;
  }

  /** Gives each function its place in `functions` as number from here on; all that occur are in it, and 0 is first. */
  renumber(functions: Uint32Array): void {
    const numbers = new Uint32Array(this.distinct.length);
    for (const [number, own] of functions.entries()) numbers[own] = number;
    for (const column of [this.#selves, this.#firsts]) {
      for (let i = 0; i < column.length; i++) column[i] = numbers[column[i] ?? 0] ?? 0;
    }
  }

  /** The innermost function of the stack; 0 where there is none. */
  selfOf(stack: number): number {
    return this.#selves[stack] ?? 0;
  }

  /** Adds `count` samples that have this stack in them to the functions that are met here first. */
  addFirsts(stack: number, count: number, sums: FunctionSums): void {
    const end = this.#end[stack] ?? 0;
    for (let i = this.#start[stack] ?? 0; i < end; i++) sums.addInclusive(this.#firsts[i] ?? 0, count);
  }
}

/** In the place of a function: the location has several lines. */
const several = 0xffff_ffff;

/** The distinct functions of each location. */
class LocationFunctions {
  /** That of a location with at most one line; 0: none. */
  readonly only: Uint32Array;
  readonly #dictionary: Dictionary;
  readonly #distinct: Uint32Array;

  constructor(dictionary: Dictionary, distinct: Uint32Array) {
    const { locations } = dictionary;
    this.#dictionary = dictionary;
    this.#distinct = distinct;
    this.only = new Uint32Array(locations.length);
    for (let location = 1; location < locations.length; location++) {
      const at = locations.start(location) + locationWords.count;
      const lines = (locations.end(location) - at) / lineWords.count;
      if (lines > 1) this.only[location] = several;
      else if (lines === 1) this.only[location] = distinct[locations.words[at + lineWords.function] ?? 0] ?? 0;
    }
  }

  /** Outermost first. */
  all(location: number): number[] {
    const { locations } = this.#dictionary;
    const functions: number[] = [];
    const head = locations.start(location) + locationWords.count;
    for (let at = locations.end(location) - lineWords.count; at >= head; at -= lineWords.count) {
      functions.push(this.#distinct[locations.words[at + lineWords.function] ?? 0] ?? 0);
    }
    return functions;
  }
}

function doubled(old: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(old.length * 2);
  larger.set(old);
  return larger;
}
