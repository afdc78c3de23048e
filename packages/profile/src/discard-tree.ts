import { discard } from './tables/discard.ts';
import type { Tree } from './views/tree.ts';

/** Gives back the memory of a tree's columns. It must not be used afterwards: they are empty. */
export function discardTree({ parent, frame, total, self, samples, selfSamples }: Tree): void {
  discard(parent, frame, total, self, samples, selfSamples);
}
