import { discard } from './discard.ts';
import { GrowableFloat64Array, GrowableUint32Array } from './growable-array.ts';
import { sortedOrder } from './sorted-order.ts';

/** Disjoint half-open intervals in ascending order; `items[i]` is the index of the input interval that owns the i-th. */
export interface FlatIntervals {
  readonly starts: Float64Array<ArrayBuffer>;
  readonly ends: Float64Array<ArrayBuffer>;
  readonly items: Uint32Array<ArrayBuffer>;
}

/**
 * Resolves overlaps: wherever half-open intervals `[starts[i], ends[i])` overlap, the one with the highest `priorities[i]`
 * owns the place (among equals the later one). Empty ones vanish. A sweep over the starts with a heap of the open
 * intervals: O(n log n), at most 2n intervals in the answer.
 */
export function flattenIntervals(
  starts: Float64Array,
  ends: Float64Array,
  priorities: Float64Array | Uint32Array,
): FlatIntervals {
  const order = sortedOrder(starts);
  const heap = new IntervalHeap(priorities);
  const outStarts = new GrowableFloat64Array(starts.length + 1);
  const outEnds = new GrowableFloat64Array(starts.length + 1);
  const outItems = new GrowableUint32Array(starts.length + 1);
  const startAt = (position: number): number => starts[order[position] ?? 0] ?? 0;
  let next = 0;
  let at = 0;
  let lastEnd = -1;
  let lastItem = -1;
  for (;;) {
    if (heap.size === 0) {
      if (next === order.length) break;
      at = startAt(next);
    }
    while (next < order.length && startAt(next) <= at) {
      const item = order[next++] ?? 0;
      if ((ends[item] ?? 0) > at) heap.push(item);
    }
    while (heap.size > 0 && (ends[heap.top] ?? 0) <= at) heap.pop();
    if (heap.size === 0) continue;
    const item = heap.top;
    const itemEnd = ends[item] ?? 0;
    const end = next < order.length ? Math.min(itemEnd, startAt(next)) : itemEnd;
    if (lastItem === item && lastEnd === at) {
      outEnds.view()[outEnds.length - 1] = end;
    } else {
      outStarts.push(at);
      outEnds.push(end);
      outItems.push(item);
    }
    lastItem = item;
    lastEnd = end;
    at = end;
  }
  const flat = { starts: outStarts.view().slice(), ends: outEnds.view().slice(), items: outItems.view().slice() };
  discard(order);
  for (const grown of [outStarts, outEnds, outItems]) grown.discard();
  return flat;
}

/** A binary heap of interval indices; the top has the highest priority, among equals the highest index. */
class IntervalHeap {
  readonly #items: number[] = [];
  readonly #priorities: Float64Array | Uint32Array;

  constructor(priorities: Float64Array | Uint32Array) {
    this.#priorities = priorities;
  }

  get size(): number {
    return this.#items.length;
  }

  get top(): number {
    return this.#items[0] ?? 0;
  }

  push(item: number): void {
    const items = this.#items;
    let child = items.length;
    items.push(item);
    while (child > 0) {
      const parent = (child - 1) >> 1;
      const above = items[parent] ?? 0;
      if (!this.#before(item, above)) break;
      items[child] = above;
      child = parent;
    }
    items[child] = item;
  }

  pop(): void {
    const items = this.#items;
    const moved = items.pop();
    if (moved === undefined || items.length === 0) return;
    let parent = 0;
    for (;;) {
      let child = 2 * parent + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && this.#before(items[child + 1] ?? 0, items[child] ?? 0)) child++;
      const below = items[child] ?? 0;
      if (!this.#before(below, moved)) break;
      items[parent] = below;
      parent = child;
    }
    items[parent] = moved;
  }

  #before(a: number, b: number): boolean {
    const difference = (this.#priorities[a] ?? 0) - (this.#priorities[b] ?? 0);
    return difference === 0 ? a > b : difference > 0;
  }
}
