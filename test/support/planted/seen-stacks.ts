import { labelsOfSet, type Profile } from '@everflame/profile';

export interface SeenFrame {
  readonly name: string;
  /** Path of the mapping; empty when there is none. */
  readonly file: string;
  /** In the file (ELF virtual address). */
  readonly address: bigint;
}

/** One row of a profile with its stack, split where the kernel begins. */
export interface SeenStack {
  readonly labels: Readonly<Record<string, string>>;
  readonly count: number;
  /** Root first. */
  readonly user: readonly SeenFrame[];
  readonly kernel: readonly SeenFrame[];
}

export function seenStacks(profile: Profile): SeenStack[] {
  const width = profile.sampleTypes.length;
  return Array.from({ length: profile.samples.length }, (_, row) => {
    const frames = framesOf(profile, profile.samples.stack[row] ?? 0);
    const kernelFrom = frames.findIndex((frame) => isOfKernel(frame));
    const split = kernelFrom === -1 ? frames.length : kernelFrom;
    return {
      labels: labelsOfSet(profile, profile.samples.labelSet[row] ?? 0),
      count: Number(profile.samples.values[row * width]),
      user: frames.slice(0, split),
      kernel: frames.slice(split),
    };
  });
}

function isOfKernel(frame: SeenFrame): boolean {
  return frame.file.startsWith('[kernel') || frame.name.startsWith('[kernel+');
}

/** Root first; of one location, the outermost line first. */
function framesOf(profile: Profile, stackRow: number): SeenFrame[] {
  const { stacks, locations, mappings, functions, strings } = profile;
  const frames: SeenFrame[] = [];
  for (let row = stackRow; row !== 0; row = stacks.parent[row] ?? 0) {
    const location = stacks.location[row] ?? 0;
    const file = strings[mappings.fileString[locations.mapping[location] ?? 0] ?? 0] ?? '';
    const address = locations.address[location] ?? 0n;
    const [from = 0, to = 0] = [locations.lineOffset[location], locations.lineOffset[location + 1]];
    for (let line = from; line < to; line++) {
      const name = strings[functions.nameString[locations.lineFunction[line] ?? 0] ?? 0] ?? '';
      frames.push({ name, file, address });
    }
    if (to === from) frames.push({ name: '', file, address });
  }
  return frames.reverse();
}

export function countOf(stacks: readonly SeenStack[]): number {
  return stacks.reduce((sum, each) => sum + each.count, 0);
}
