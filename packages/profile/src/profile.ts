/**
 * The domain's one shape of a profile: columns in typed arrays, everything interned, 64-bit values exact.
 *
 * It says what a pprof `Profile` message says (google/pprof, proto/profile.proto), with two differences: ids are dense
 * (a row's index is its id; row 0 of `mappings`, `functions` and `locations` stands for pprof's id 0, "none"), and the
 * location lists of samples are a parent-pointer tree, so that a shared root is stored once.
 *
 * A value of this type is immutable by convention once built. Make one with `decodeProfile` or `ProfileBuilder`;
 * `checkValid` states its invariants.
 */
export interface Profile extends ProfileFacts {
  readonly stacks: StackTable;
  readonly samples: SampleTable;
}

/** A profile whose stacks are no tree yet: for one who knows most of them already. Of `decodePooled`. */
export interface PathProfile extends ProfileFacts {
  readonly paths: PathTable;
  readonly samples: SampleColumns;
}

/** All of a profile but its stacks and samples. */
export interface ProfileFacts {
  /** `strings[0]` is `''`. All `…String` columns index this. No duplicates. */
  readonly strings: readonly string[];
  /** One per value of a sample, in order. At least one. */
  readonly sampleTypes: readonly ValueType[];
  /** The `type` of the sample type a viewer shows first; `''` when the profile does not say. */
  readonly defaultSampleType: string;
  readonly periodType: ValueType;
  /** In units of `periodType.unit`; 0 when the profile does not say. */
  readonly period: bigint;
  /** Start of collection, nanoseconds since the Unix epoch; 0 when the profile does not say. */
  readonly timeNanos: bigint;
  readonly durationNanos: bigint;
  readonly comments: readonly string[];
  readonly dropFrames: string;
  readonly keepFrames: string;
  readonly docUrl: string;
  readonly mappings: MappingTable;
  readonly functions: FunctionTable;
  readonly locations: LocationTable;
  readonly labelSets: LabelSetTable;
}

/** pprof's ValueType. Both `''` when unset. Example: `{ type: 'cpu', unit: 'nanoseconds' }`. */
export interface ValueType {
  readonly type: string;
  readonly unit: string;
}

/** Row 0 is "no mapping". */
export interface MappingTable {
  readonly length: number;
  readonly memoryStart: BigUint64Array;
  readonly memoryLimit: BigUint64Array;
  readonly fileOffset: BigUint64Array;
  readonly fileString: Uint32Array;
  readonly buildIdString: Uint32Array;
  /** Bits: 1 has_functions, 2 has_filenames, 4 has_line_numbers, 8 has_inline_frames. */
  readonly flags: Uint8Array;
}

/** Row 0 is "no function". */
export interface FunctionTable {
  readonly length: number;
  readonly nameString: Uint32Array;
  /** The name as the linker knows it (mangled). */
  readonly systemNameString: Uint32Array;
  readonly fileString: Uint32Array;
  readonly startLine: BigInt64Array;
}

/** Row 0 is "no location". Lines of location `l` are rows `lineOffset[l]` to `lineOffset[l + 1]`, innermost (leaf-most inlined) first. */
export interface LocationTable {
  readonly length: number;
  /** Row in `mappings`; 0 when none. */
  readonly mapping: Uint32Array;
  readonly address: BigUint64Array;
  readonly isFolded: Uint8Array;
  /** Length `length + 1`. */
  readonly lineOffset: Uint32Array;
  /** Row in `functions`; 0 when the line names none. */
  readonly lineFunction: Uint32Array;
  readonly lineNumber: BigInt64Array;
  readonly lineColumn: BigInt64Array;
}

/** Parent-pointer tree. Row 0 is the empty stack; `parent[s] < s` for every other row; no two rows have the same (parent, location). */
export interface StackTable {
  readonly length: number;
  /** The caller's stack. */
  readonly parent: Uint32Array;
  /** The leaf location of this stack; never 0 but in row 0. */
  readonly location: Uint32Array;
}

/** The locations of sample `i`, leaf first, are `location[offset[i]]` to `location[offset[i + 1] - 1]`. */
export interface PathTable {
  /** One more than there are samples. */
  readonly offset: Uint32Array;
  readonly location: Uint32Array;
}

/** Set 0 is empty. Labels of set `s` are rows `offset[s]` to `offset[s + 1]`, in the order of the file. */
export interface LabelSetTable {
  readonly length: number;
  /** Length `length + 1`. */
  readonly offset: Uint32Array;
  readonly keyString: Uint32Array;
  /** The value of a text label; 0 for a numeric one. */
  readonly textString: Uint32Array;
  readonly number: BigInt64Array;
  readonly unitString: Uint32Array;
}

export interface SampleTable extends SampleColumns {
  readonly stack: Uint32Array;
}

/** All of the samples but their stacks. */
export interface SampleColumns {
  readonly length: number;
  readonly labelSet: Uint32Array;
  /** Sample-major: value `t` of sample `i` is `values[i * sampleTypes.length + t]`. */
  readonly values: BigInt64Array;
  /**
   * How many observations stand behind sample `i`: the statistics need counts, not nanoseconds. Taken from the value
   * whose type is `samples` with unit `count` where the profile has one, else 1 for each pprof Sample merged into it.
   */
  readonly count: Float64Array;
}
