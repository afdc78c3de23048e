import { randomNumbers } from './random.ts';

/** Damaged copies of a valid file: bits flipped, fields set to their extremes, ranges filled or moved, the end cut off. */
export function* mutations(valid: Uint8Array, count: number, seed: number): Generator<Uint8Array> {
  const random = randomNumbers(seed);
  const below = (limit: number): number => Math.floor(random() * limit);
  const extremes = [0, 1, 0x7f, 0x80, 0xff];
  for (let i = 0; i < count; i++) {
    let bytes = Uint8Array.from(valid);
    for (let change = 0; change <= below(6); change++) {
      // Half of the damage goes into the head, where the headers are.
      const at = random() < 0.5 ? below(Math.min(bytes.length, 512)) : below(bytes.length);
      const kind = below(5);
      if (kind === 0) bytes[at] = (bytes[at] ?? 0) ^ (1 << below(8));
      else if (kind === 1) bytes[at] = extremes[below(extremes.length)] ?? 0;
      else if (kind === 2) bytes.fill(extremes[below(extremes.length)] ?? 0, at, at + below(9));
      else if (kind === 3) bytes.copyWithin(at, below(bytes.length), below(bytes.length));
      else if (random() < 0.3) bytes = bytes.slice(0, at);
      if (bytes.length === 0) break;
    }
    yield bytes;
  }
}
