import { type CodeName, serviceCode, sharedCode } from './code-names.ts';
import { Random, Zipf } from './random.ts';

/** What the code of a service looks like; the figures are those that the store is measured with. */
export interface CodeShape {
  readonly functions: number;
  /** Part of the functions that is the kernel's and libc's, the same in every service. */
  readonly sharedPart: number;
  readonly minStacks: number;
  readonly maxStacks: number;
  /** Mean number of frames of a stack, and the greatest one. */
  readonly meanDepth: number;
  readonly maxDepth: number;
  readonly zipfExponent: number;
}

export const standardCode: CodeShape = {
  functions: 3000,
  sharedPart: 0.05,
  minStacks: 5000,
  maxStacks: 20_000,
  meanDepth: 25,
  maxDepth: 80,
  zipfExponent: 1,
};

/** Rows of `mappings`: the service's own binary first. */
export const OWN = 0;
export const LIBC = 1;
export const KERNEL = 2;

/** Functions, call sites and stacks of one service. Versions share them; each has a binary, and so addresses, of its own. */
export interface ServiceModel {
  readonly name: string;
  readonly functions: readonly CodeName[];
  /** Row of the mapping of each function. */
  readonly functionMapping: Uint8Array;
  /** By location: its function, the function that is inlined into it + 1 (0: none), line, offset of its address. */
  readonly locationFunction: Uint16Array;
  readonly locationInlined: Uint16Array;
  readonly locationLine: Uint16Array;
  readonly locationOffset: Uint32Array;
  /** Locations of stack `s`, leaf first: `stackLocations[stackOffset[s]…stackOffset[s + 1]]`. */
  readonly stackOffset: Uint32Array;
  readonly stackLocations: Uint16Array;
  readonly zipf: Zipf;
}

/** Where functions begin and how long they are in a binary. */
const CODE_START = 0x1000;
const FUNCTION_BYTES = 0x140;
/** A frame in so many has another one inlined. */
const INLINE_EVERY = 30;

/** The same `seed` and `index` give the same service; what is shared depends on the seed alone. */
export function makeService(shape: CodeShape, seed: number, index: number, name: string): ServiceModel {
  const random = new Random(seed * 1009 + index + 1);
  const shared = Math.round(shape.functions * shape.sharedPart);
  const functions: CodeName[] = [];
  const functionMapping = new Uint8Array(shape.functions);
  const sharedRandom = new Random(seed);
  const names = new Set<string>();
  while (functions.length < shape.functions) {
    const row = functions.length;
    const mapping = row >= shared ? OWN : row % 3 === 0 ? LIBC : KERNEL;
    const code =
      mapping === OWN ? serviceCode(random, name, index % 2 === 0) : sharedCode(sharedRandom, mapping === KERNEL);
    if (names.has(code.name)) continue;
    names.add(code.name);
    functionMapping[row] = mapping;
    functions.push(code);
  }
  const sites = new CallSites(functions.length, random);
  const stacks = new StackGrower(shape, shared, sites, random);
  const count = shape.minStacks + random.below(shape.maxStacks - shape.minStacks + 1);
  while (stacks.length < count) stacks.grow();
  return {
    name,
    functions,
    functionMapping,
    ...sites.columns(),
    ...stacks.columns(),
    zipf: new Zipf(count, shape.zipfExponent),
  };
}

/** Locations: a place in a function from which another one is called, or at which it is interrupted. */
class CallSites {
  readonly #functions: number;
  readonly #random: Random;
  readonly #rowOf = new Map<number, number>();
  readonly #function: number[] = [];
  readonly #inlined: number[] = [];
  readonly #offset: number[] = [];

  constructor(functions: number, random: Random) {
    this.#functions = functions;
    this.#random = random;
  }

  /** The location in `from` that calls `to`; `to` -1: one of the places where `from` itself runs. */
  site(from: number, to: number): number {
    // A function calls another one from one place of three, and is met in one of three itself.
    const place = to < 0 ? 3 + this.#random.below(3) : to % 3;
    const key = from * 6 + place;
    const known = this.#rowOf.get(key);
    if (known !== undefined) return known;
    const row = this.#function.length;
    this.#rowOf.set(key, row);
    this.#function.push(from);
    this.#inlined.push(row % INLINE_EVERY === 7 ? 1 + this.#random.below(this.#functions) : 0);
    this.#offset.push(CODE_START + from * FUNCTION_BYTES + place * 41 + this.#random.below(40));
    return row;
  }

  functionOf(location: number): number {
    return this.#function[location] ?? 0;
  }

  columns() {
    return {
      locationFunction: Uint16Array.from(this.#function),
      locationInlined: Uint16Array.from(this.#inlined),
      locationLine: Uint16Array.from(this.#offset, (offset) => 1 + ((offset >>> 3) % 1900)),
      locationOffset: Uint32Array.from(this.#offset),
    };
  }
}

/** How many functions one calls, at most. */
const CALLEES = 5;
/** The smaller, the longer the part that a new stack has in common with the one that it is like. */
const SHARED_EXPONENT = 0.2;

/** Each stack leaves an earlier one somewhere and goes on along the call graph: near the root few ways, near the leaf many. */
class StackGrower {
  readonly #shape: CodeShape;
  readonly #shared: number;
  readonly #sites: CallSites;
  readonly #random: Random;
  readonly #callees: Uint16Array;
  /** Root first. */
  readonly #stacks: number[][] = [];
  readonly #known = new Set<string>();

  constructor(shape: CodeShape, shared: number, sites: CallSites, random: Random) {
    this.#shape = shape;
    this.#shared = shared;
    this.#sites = sites;
    this.#random = random;
    const own = shape.functions - shared;
    // Some functions are called from everywhere, most from a few places.
    this.#callees = Uint16Array.from(
      { length: shape.functions * CALLEES },
      () => shared + Math.floor(own * random.next() ** 2.6),
    );
  }

  get length(): number {
    return this.#stacks.length;
  }

  grow(): void {
    const { meanDepth, maxDepth } = this.#shape;
    const random = this.#random;
    // The sum of three exponentials has the shape of depths seen in servers: few flat ones, a long tail.
    const spread = -Math.log((1 - random.next()) * (1 - random.next()) * (1 - random.next())) / 3;
    const depth = Math.min(maxDepth, Math.max(4, Math.round(meanDepth * spread)));
    const like = this.#stacks.length === 0 ? [] : random.pick(this.#stacks);
    const kept = Math.floor(Math.min(like.length, depth) * random.next() ** SHARED_EXPONENT);
    const stack = like.slice(0, Math.max(0, kept - 1));
    let at = stack.length === 0 ? this.#shared : this.#sites.functionOf(like[stack.length] ?? 0);
    // One stack in five ends in the kernel or in libc.
    const tail = random.next() < 0.2 ? 1 + random.below(4) : 0;
    while (stack.length < depth - 1) {
      const isShared = depth - stack.length <= tail;
      const next = isShared ? random.below(this.#shared) : this.#callee(at);
      stack.push(this.#sites.site(at, next));
      at = next;
    }
    stack.push(this.#sites.site(at, -1));
    const key = stack.join();
    if (this.#known.has(key)) return;
    this.#known.add(key);
    this.#stacks.push(stack);
  }

  /** One of the functions that `caller` calls, the first ones most often. */
  #callee(caller: number): number {
    return this.#callees[caller * CALLEES + Math.floor(CALLEES * this.#random.next() ** 2)] ?? 0;
  }

  columns() {
    const stackOffset = new Uint32Array(this.#stacks.length + 1);
    for (const [i, stack] of this.#stacks.entries()) stackOffset[i + 1] = (stackOffset[i] ?? 0) + stack.length;
    const stackLocations = new Uint16Array(stackOffset.at(-1) ?? 0);
    for (const [i, stack] of this.#stacks.entries()) stackLocations.set(stack.toReversed(), stackOffset[i] ?? 0);
    return { stackOffset, stackLocations };
  }
}
