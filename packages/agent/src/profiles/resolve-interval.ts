import { findMapping } from '../processes/mapping-list.ts';
import type { IntervalSamples } from '../sampling/interval-samples.ts';
import { WordTable } from '../sampling/word-table.ts';
import type { ResolvedLocation, Symbolizer } from '../symbols/symbolizer.ts';

/** The samples of an interval with a name for every frame. */
export interface ResolvedInterval {
  readonly samples: IntervalSamples;
  /** Frames of stack `s` are `frames[frameOffset[s]]` to `frames[frameOffset[s + 1]]`, leaf first: rows of `locations`. */
  readonly frameOffset: Uint32Array;
  readonly frames: Uint32Array;
  readonly locations: readonly ResolvedLocation[];
  /** Samples whose user stack was cut, see `resolveInterval`. */
  readonly cutSamples: number;
}

/** Stands in a frame's key for the image of a kernel frame, which is the same in all processes. */
const kernelSpace = 0xffffffff;

interface SpaceFrames {
  readonly rows: number[];
  readonly addresses: bigint[];
  readonly isLeaf: number[];
}

/**
 * Asks the symbolizer once for each (process, address), and once for each kernel address.
 *
 * A return address where the process has no code was no return address: code without frame pointers had other things in
 * that register. The walk ends there, with that one frame, instead of 100 more of what happened to lie in memory.
 */
export async function resolveInterval(samples: IntervalSamples, symbolizer: Symbolizer): Promise<ResolvedInterval> {
  const table = new WordTable();
  const spaces = new Map<number, SpaceFrames>();
  const key = new Uint32Array(4);
  const frameOffset = new Uint32Array(samples.stackCount + 1);
  const frames: number[] = [];
  const isCut = new Uint8Array(samples.stackCount);
  for (let row = 0; row < samples.stackCount; row++) {
    const stack = samples.stack(row);
    const count = stack.kernelFrames + stack.userFrames;
    for (let frame = 0; frame < count; frame++) {
      const isKernel = frame < stack.kernelFrames;
      // The first address of each walk is that of an instruction; the others are where calls return to.
      const isLeaf = frame === 0 || frame === stack.kernelFrames ? 1 : 0;
      key[0] = isKernel ? kernelSpace : stack.image;
      key[1] = stack.frames[2 * frame] ?? 0;
      key[2] = stack.frames[2 * frame + 1] ?? 0;
      key[3] = isLeaf;
      const known = table.length;
      const found = table.intern(key, 4);
      if (found === known) {
        let space = spaces.get(key[0]);
        if (space === undefined) {
          space = { rows: [], addresses: [], isLeaf: [] };
          spaces.set(key[0], space);
        }
        space.rows.push(found);
        space.addresses.push((BigInt(key[2]) << 32n) | BigInt(key[1]));
        space.isLeaf.push(isLeaf);
      }
      frames.push(found);
      if (isKernel || isLeaf === 1) continue;
      const mappings = samples.images[stack.image]?.mappings ?? [];
      if (findMapping(mappings, (BigInt(key[2]) << 32n) | BigInt(key[1])) === undefined) {
        isCut[row] = 1;
        break;
      }
    }
    frameOffset[row + 1] = frames.length;
  }

  const locations: ResolvedLocation[] = Array.from({ length: table.length });
  await Promise.all(
    [...spaces].map(async ([image, space]) => {
      const addresses = BigUint64Array.from(space.addresses);
      const isLeaf = Uint8Array.from(space.isLeaf);
      const process = samples.images[image];
      const found =
        process === undefined
          ? await symbolizer.resolveKernel(addresses, isLeaf)
          : await symbolizer.resolveUser(process, addresses, isLeaf);
      for (const [index, row] of space.rows.entries()) {
        const location = found[index];
        if (location === undefined) throw new Error(`the symbolizer answered ${found.length} of ${addresses.length}`);
        locations[row] = location;
      }
    }),
  );
  let cutSamples = 0;
  for (let row = 0; row < samples.sampleCount; row++) {
    const { stack, count } = samples.sample(row);
    if (isCut[stack] === 1) cutSamples += count;
  }
  return { samples, frameOffset, frames: Uint32Array.from(frames), locations, cutSamples };
}
