import type { Profile } from '../profile.ts';
import { compareText } from './tree.ts';

/** A file that code lies in, as one build of it. */
export interface Binary {
  readonly file: string;
  readonly buildId: string;
}

/** The builds that samples pass through, by file and build ID; of those without either nothing is said. Linear in the stacks. */
export function binariesOf({ samples, stacks, locations, mappings, strings }: Profile): Binary[] {
  const isUsed = new Uint8Array(stacks.length);
  for (const stack of samples.stack) isUsed[stack] = 1;
  const isMapped = new Uint8Array(mappings.length);
  // Parents come before children.
  for (let stack = stacks.length - 1; stack > 0; stack--) {
    if (isUsed[stack] === 0) continue;
    isUsed[stacks.parent[stack] ?? 0] = 1;
    isMapped[locations.mapping[stacks.location[stack] ?? 0] ?? 0] = 1;
  }
  const found = new Map<string, Binary>();
  for (let row = 0; row < mappings.length; row++) {
    const file = strings[mappings.fileString[row] ?? 0] ?? '';
    const buildId = strings[mappings.buildIdString[row] ?? 0] ?? '';
    if (isMapped[row] === 1 && file !== '' && buildId !== '')
      found.set(JSON.stringify([file, buildId]), { file, buildId });
  }
  return [...found.values()].sort((a, b) => compareText(a.file, b.file) || compareText(a.buildId, b.buildId));
}
