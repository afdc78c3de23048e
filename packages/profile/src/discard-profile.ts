import type { Profile } from './profile.ts';
import { discard } from './tables/discard.ts';

/** Gives back the memory of a profile's columns. It must not be used afterwards: they are empty. */
export function discardProfile({ mappings, functions, locations, stacks, labelSets, samples }: Profile): void {
  discard(mappings.memoryStart, mappings.memoryLimit, mappings.fileOffset, mappings.fileString, mappings.buildIdString);
  discard(functions.nameString, functions.systemNameString, functions.fileString, functions.startLine);
  discard(locations.mapping, locations.address, locations.isFolded, locations.lineOffset);
  discard(locations.lineFunction, locations.lineNumber, locations.lineColumn);
  discard(stacks.parent, stacks.location);
  discard(labelSets.offset, labelSets.keyString, labelSets.textString, labelSets.number, labelSets.unitString);
  discard(samples.stack, samples.labelSet, samples.values, samples.count);
}
