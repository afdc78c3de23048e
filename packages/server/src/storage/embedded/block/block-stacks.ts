import type { ByteReader, ByteWriter } from '../bytes.ts';
import type { StackTable } from '../stack-table.ts';
import { WordTable } from '../word-table.ts';

/**
 * The stacks of a part. A location is followed by few others, so that a stack takes little more than the number of the way that was gone:
 *
 *     stacks
 *     locations            for each, the root's 0 included: how many others follow it somewhere; then which, the most frequent first
 *     ups                  stacks in depth-first order: how many callers of the one before are left, 0 when it calls this one; each
 *     ways                 which of those that follow the caller's location; each
 *     leaves               then the stack of each, as the zigzag difference to the one before: equally frequent ones ascend
 *
 * All of it varints.
 */
export function writeStacks(stacks: StackTable, locations: number, leaves: Uint32Array, out: ByteWriter): void {
  const ways = new Ways(stacks, locations);
  const { number, order, ups } = depthFirst(stacks);
  out.varint(stacks.length);
  ways.write(out);
  for (let row = 1; row < stacks.length; row++) out.varint(ups[row] ?? 0);
  for (let row = 1; row < stacks.length; row++) out.varint(ways.of(order[row] ?? 0));
  out.varint(leaves.length);
  let previous = 0;
  for (const stack of leaves) {
    const difference = (number[stack] ?? 0) - previous;
    out.varint(difference < 0 ? -2 * difference - 1 : 2 * difference);
    previous = number[stack] ?? 0;
  }
}

/**
 * Fills an empty table. Answers the stack of each leaf.
 *
 * @throws RangeError
 */
export function readStacks(input: ByteReader, stacks: StackTable): Uint32Array {
  const count = input.varint();
  input.expectAtLeast((count - 1) * 2);
  const starts = readCounts(input);
  const followers = new Uint32Array(starts.at(-1) ?? 0);
  for (let i = 0; i < followers.length; i++) followers[i] = input.varint();
  stacks.reserve(count);
  const parents = new Uint32Array(count);
  /** By depth: the stack at hand's caller there. */
  const path = new Uint32Array(count);
  for (let row = 1, depth = -1; row < count; row++) {
    depth += 1 - input.varint();
    if (depth < 0) throw new RangeError(`stack ${row} has no caller`);
    parents[row] = path[depth] ?? 0;
    path[depth + 1] = row;
  }
  for (let row = 1; row < count; row++) {
    const caller = parents[row] ?? 0;
    const location = stacks.words[caller * 2 + 1] ?? 0;
    const at = (starts[location] ?? 0) + input.varint();
    if (at >= (starts[location + 1] ?? 0)) throw new RangeError(`nothing follows location ${location} at ${at}`);
    stacks.append(caller, followers[at] ?? 0);
  }
  const leaves = readLeaves(input);
  let stack = 0;
  for (let leaf = 0; leaf < leaves.length; leaf++) {
    const difference = leaves[leaf] ?? 0;
    stack += (difference >>> 1) ^ -(difference & 1);
    leaves[leaf] = stack;
  }
  return leaves;
}

/**
 * As blocks of the version before had them: the difference to the caller's number of each, then the location of each, then leaves.
 *
 * @throws RangeError
 */
export function readPlainStacks(input: ByteReader, stacks: StackTable): Uint32Array {
  const count = input.varint();
  input.expectAtLeast(count - 1);
  const parents = new Uint32Array(count);
  for (let stack = 1; stack < count; stack++) {
    const parent = stack - input.varint();
    if (parent < 0 || parent >= stack) throw new RangeError(`stack ${stack} has no caller ${parent}`);
    parents[stack] = parent;
  }
  for (let stack = 1; stack < count; stack++) stacks.append(parents[stack] ?? 0, input.varint());
  return readLeaves(input);
}

function readLeaves(input: ByteReader): Uint32Array {
  const count = input.varint();
  input.expectAtLeast(count);
  const leaves = new Uint32Array(count);
  for (let leaf = 0; leaf < count; leaf++) leaves[leaf] = input.varint();
  return leaves;
}

/** Sums of counts: where each one's begin, and where the last one's end. */
function readCounts(input: ByteReader): Uint32Array {
  const length = input.varint();
  input.expectAtLeast(length);
  const starts = new Uint32Array(length + 1);
  let sum = 0;
  for (let i = 0; i < length; i++) {
    sum += input.varint();
    starts[i + 1] = sum;
  }
  input.expectAtLeast(sum);
  return starts;
}

/** Which locations follow which. */
class Ways {
  /** Rows: location of the caller and own location. */
  readonly #pairs = new WordTable(2);
  readonly #pairOf: Uint32Array;
  /** By row: its place among those of its caller's location. */
  readonly #places: Uint32Array;
  readonly #sorted: Uint32Array;
  readonly #counts: Uint32Array;

  constructor({ length, words }: StackTable, locations: number) {
    const pair = new Uint32Array(2);
    this.#pairOf = new Uint32Array(length);
    for (let stack = 1; stack < length; stack++) {
      pair[0] = words[(words[stack * 2] ?? 0) * 2 + 1] ?? 0;
      pair[1] = words[stack * 2 + 1] ?? 0;
      this.#pairOf[stack] = this.#pairs.intern(pair, 2);
    }
    const frequencies = new Uint32Array(this.#pairs.length);
    for (const row of this.#pairOf) frequencies[row] = (frequencies[row] ?? 0) + 1;
    const callers = this.#pairs.words;
    this.#sorted = Uint32Array.from({ length: this.#pairs.length - 1 }, (_, i) => i + 1).sort(
      (a, b) => (callers[a * 2] ?? 0) - (callers[b * 2] ?? 0) || (frequencies[b] ?? 0) - (frequencies[a] ?? 0) || a - b,
    );
    this.#places = new Uint32Array(this.#pairs.length);
    this.#counts = new Uint32Array(locations);
    for (const row of this.#sorted) {
      const caller = callers[row * 2] ?? 0;
      const place = this.#counts[caller] ?? 0;
      this.#places[row] = place;
      this.#counts[caller] = place + 1;
    }
  }

  write(out: ByteWriter): void {
    out.varint(this.#counts.length);
    for (const count of this.#counts) out.varint(count);
    for (const row of this.#sorted) out.varint(this.#pairs.words[row * 2 + 1] ?? 0);
  }

  of(stack: number): number {
    return this.#places[this.#pairOf[stack] ?? 0] ?? 0;
  }
}

export interface DepthFirst {
  /** By row: its number in this order. */
  readonly number: Uint32Array;
  /** By number: its row. */
  readonly order: Uint32Array;
  /** By number: how many callers of the one before are left for it. */
  readonly ups: Uint32Array;
}

/** A stack comes before what it calls, and all of that before the next one of the same caller. */
export function depthFirst({ length, words }: StackTable): DepthFirst {
  const firstChild = new Uint32Array(length);
  const nextSibling = new Uint32Array(length);
  for (let row = length - 1; row > 0; row--) {
    const caller = words[row * 2] ?? 0;
    nextSibling[row] = firstChild[caller] ?? 0;
    firstChild[caller] = row;
  }
  const number = new Uint32Array(length);
  const order = new Uint32Array(length);
  const ups = new Uint32Array(length);
  for (let next = 1, row = 0; next < length; next++) {
    let up = 0;
    let child = firstChild[row] ?? 0;
    for (; child === 0; up++) {
      child = nextSibling[row] ?? 0;
      row = words[row * 2] ?? 0;
    }
    row = child;
    ups[next] = up;
    order[next] = row;
    number[row] = next;
  }
  return { number, order, ups };
}
