/**
 * Upper bounds for a decoded profile, each refused with `too_large` when passed. Reading costs time and memory in
 * proportion to the input whatever it says (about 10 bytes for each byte of a profile made to be dense), so that a limit
 * on the input's size bounds everything; these bound one table more tightly. All default to no limit.
 */
export interface DecodeLimits {
  readonly maxSamples?: number;
  readonly maxLocations?: number;
  readonly maxFunctions?: number;
  readonly maxMappings?: number;
  readonly maxStrings?: number;
  readonly maxSampleTypes?: number;
  readonly maxStackDepth?: number;
  /** Frames of all stacks, those that stacks share from their roots on once: what memory and time of a store go by. */
  readonly maxStackNodes?: number;
  /**
   * Of `decodePooled`: frames of all samples together, which are kept as they come. What has more becomes a tree, to which `maxStackNodes` applies.
   * Default 2^19.
   */
  readonly maxPathFrames?: number;
  readonly maxLabelsPerSample?: number;
}
