import { findMapping } from '../processes/mapping-list.ts';
import type { LossCounters } from '../health/counters.ts';
import { endFramePointer } from '../kernel/generated/abi.ts';
import type { IntervalSamples } from '../sampling/interval-samples.ts';
import { WordTable } from '../words/word-table.ts';
import { isNote } from '../runtimes/frame-note.ts';
import type { Runtimes } from '../runtimes/runtimes.ts';
import type { ResolvedLocation, Symbolizer } from '../symbols/symbolizer.ts';
import { cutLocation, type StackCut, stackCutOf, stackCuts } from './stack-cut.ts';

/** The samples of an interval with a name for every frame. */
export interface ResolvedInterval {
  readonly samples: IntervalSamples;
  /** Frames of stack `s` are `frames[frameOffset[s]]` to `frames[frameOffset[s + 1]]`, leaf first: rows of `locations`. */
  readonly frameOffset: Uint32Array;
  readonly frames: Uint32Array;
  readonly locations: readonly ResolvedLocation[];
  /** 1 for each stack of which a part was guessed by a frame pointer where none is promised. */
  readonly isGuessed: Uint8Array;
}

/** Stands in a frame's key for the image of a kernel frame, which is the same in all processes. */
const kernelSpace = 0xffffffff;
/** No table of frames has so many rows. */
const cutRow = 0xffff_0000;

interface SpaceFrames {
  readonly rows: number[];
  readonly addresses: bigint[];
  readonly isLeaf: number[];
  /** Low and high word of each one's note; 0 for none. */
  readonly notes: number[];
}

/**
 * Asks the symbolizer once for each (process, address), and once for each kernel address. A stack that does not reach its root ends
 * with a frame that says why.
 */
export async function resolveInterval(
  samples: IntervalSamples,
  symbolizer: Symbolizer,
  runtimes: Pick<Runtimes, 'locations' | 'isGlue'>,
): Promise<ResolvedInterval> {
  const table = new WordTable();
  const spaces = new Map<number, SpaceFrames>();
  const key = new Uint32Array(6);
  /** Frames as they were sampled; a runtime may make more or none of one. */
  const sampledOffset = new Uint32Array(samples.stackCount + 1);
  const sampled: number[] = [];
  const isGuessed = new Uint8Array(samples.stackCount);
  const cuts = new Set<StackCut>();
  for (let row = 0; row < samples.stackCount; row++) {
    const stack = samples.stack(row);
    const count = stack.kernelFrames + stack.userFrames;
    let cut = stackCutOf(stack.userEnd);
    // Of the kernel's own walk: user addresses, too, are those that calls return to.
    const isWalkedByKernel = stack.userEnd === endFramePointer;
    if (stack.guessedFrom < stack.userFrames) isGuessed[row] = 1;
    let [low, high, isExact] = [0, 0, 0];
    for (let frame = 0; frame < count; frame++) {
      const isKernel = frame < stack.kernelFrames;
      const isFirst = frame === 0 || frame === stack.kernelFrames;
      const isInstruction = isFirst || (!isKernel && !isWalkedByKernel);
      // The second note of a frame and those after it stand for themselves, with the address of that frame.
      const isFurtherNote = !isKernel && !isFirst && isNote(stack.frames[2 * frame + 1] ?? 0);
      if (!isFurtherNote) {
        low = stack.frames[2 * frame] ?? 0;
        high = stack.frames[2 * frame + 1] ?? 0;
        isExact = isInstruction ? 1 : 0;
      }
      const spaceKey = isKernel ? kernelSpace : stack.image;
      key[0] = spaceKey;
      key[1] = low;
      key[2] = high;
      key[3] = isExact;
      const noteAt = 2 * (isFurtherNote ? frame : frame + 1);
      const noteHigh = noteAt < 2 * count ? (stack.frames[noteAt + 1] ?? 0) : 0;
      const hasNote = !isKernel && isNote(noteHigh);
      key[4] = hasNote ? (stack.frames[noteAt] ?? 0) : 0;
      key[5] = hasNote ? noteHigh : 0;
      if (!isKernel && !isFirst && !isFurtherNote && isWalkedByKernel) {
        // Where a caller has no code, something on the way had no frame pointer, and the rest is what happened to lie in memory.
        const mappings = samples.images[stack.image]?.mappings ?? [];
        if (findMapping(mappings, (BigInt(high) << 32n) | BigInt(low)) === undefined) {
          cut = 'frame_pointer';
          break;
        }
      }
      const known = table.length;
      const found = table.intern(key, 6);
      if (found === known) {
        let space = spaces.get(spaceKey);
        if (space === undefined) {
          space = { rows: [], addresses: [], isLeaf: [], notes: [] };
          spaces.set(spaceKey, space);
        }
        space.rows.push(found);
        space.addresses.push((BigInt(high) << 32n) | BigInt(low));
        space.isLeaf.push(isExact);
        space.notes.push(key[4], key[5]);
      }
      sampled.push(found);
      if (hasNote && !isFurtherNote) frame++;
    }
    if (cut !== undefined) {
      // Rows of the cuts come after those of the table; which ones is known at the end.
      sampled.push(cutRow + stackCuts.indexOf(cut));
      cuts.add(cut);
    }
    sampledOffset[row + 1] = sampled.length;
  }

  const locations: ResolvedLocation[] = Array.from({ length: table.length });
  /** What runtimes make of a frame: rows of `locations`. */
  const replaced = new Map<number, readonly number[]>();
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
        if (process === undefined) continue;
        const [low = 0, high = 0] = space.notes.slice(2 * index, 2 * index + 2);
        const pc = Number(space.addresses[index] ?? 0n);
        const shown = high === 0 ? undefined : runtimes.locations(process, pc, { low, high }, location);
        if (shown !== undefined)
          replaced.set(
            row,
            shown.map((each) => locations.push(each) - 1),
          );
        else if (runtimes.isGlue(process, pc, location)) replaced.set(row, []);
      }
    }),
  );
  const rowOfCut = new Map<number, number>();
  for (const cut of cuts) rowOfCut.set(cutRow + stackCuts.indexOf(cut), locations.push(cutLocation(cut)) - 1);
  const frameOffset = new Uint32Array(samples.stackCount + 1);
  const frames: number[] = [];
  for (let stack = 0; stack < samples.stackCount; stack++) {
    for (let at = sampledOffset[stack] ?? 0; at < (sampledOffset[stack + 1] ?? 0); at++) {
      const row = sampled[at] ?? 0;
      const rows = replaced.get(row);
      if (rows === undefined) frames.push(rowOfCut.get(row) ?? row);
      else frames.push(...rows);
    }
    frameOffset[stack + 1] = frames.length;
  }
  return { samples, frameOffset, frames: Uint32Array.from(frames), locations, isGuessed };
}

/** Counts the samples of an interval whose stacks are cut or guessed, or whose threads should have a label that they lack. */
export function countSampleLosses(samples: IntervalSamples, losses: LossCounters): void {
  for (let row = 0; row < samples.sampleCount; row++) {
    const { stack, thread, count } = samples.sample(row);
    const lost = samples.threadLabels.lossOf(thread);
    if (lost !== undefined) losses.add('labels_cut', lost, count);
    const { userEnd, userFrames, guessedFrom } = samples.stack(stack);
    const cut = stackCutOf(userEnd) ?? (userEnd === endFramePointer ? 'frame_pointer' : undefined);
    // The collector has counted that one when it cut it.
    if (cut !== undefined && cut !== 'stale_mapping') losses.add('stacks_truncated', cut, count);
    if (guessedFrom < userFrames) losses.add('stacks_guessed', 'frame_pointer', count);
  }
}
