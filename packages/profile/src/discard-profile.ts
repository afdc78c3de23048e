import type { PathProfile, Profile } from './profile.ts';
import { discard } from './tables/discard.ts';

/** Gives back the memory of a profile's columns. It must not be used afterwards: they are empty. */
export function discardProfile(profile: Profile | PathProfile): void {
  const { mappings, functions, locations, labelSets, samples } = profile;
  discard(mappings.memoryStart, mappings.memoryLimit, mappings.fileOffset, mappings.fileString, mappings.buildIdString);
  discard(functions.nameString, functions.systemNameString, functions.fileString, functions.startLine);
  discard(locations.mapping, locations.address, locations.isFolded, locations.lineOffset);
  discard(locations.lineFunction, locations.lineNumber, locations.lineColumn);
  if ('paths' in profile) discard(profile.paths.offset, profile.paths.location);
  else discard(profile.stacks.parent, profile.stacks.location, profile.samples.stack);
  discard(labelSets.offset, labelSets.keyString, labelSets.textString, labelSets.number, labelSets.unitString);
  discard(samples.labelSet, samples.values, samples.count);
}
