import type { ProfileError } from './profile-error.ts';
import type { Profile } from './profile.ts';

/**
 * Says which invariant of `Profile` is broken first, or null. What `decodeProfile`, `ProfileBuilder` and `mergeProfiles`
 * answer is always valid; call this where a profile was put together by hand or read back from storage.
 */
export function checkValid(profile: Profile): ProfileError | null {
  return (
    checkStrings(profile) ??
    checkMappings(profile) ??
    checkFunctions(profile) ??
    checkLocations(profile) ??
    checkStacks(profile) ??
    checkLabelSets(profile) ??
    checkSamples(profile)
  );
}

function broken(field: string, message: string): ProfileError {
  return { code: 'invariant', message: `${field}: ${message}.`, field, offset: 0 };
}

function checkStrings(profile: Profile): ProfileError | null {
  const { strings } = profile;
  if (strings[0] !== '') return broken('string_table[0]', "must be ''");
  const seen = new Set<string>();
  for (const [row, text] of strings.entries()) {
    if (seen.has(text)) return broken(`string_table[${row}]`, 'is there twice');
    if (!text.isWellFormed()) return broken(`string_table[${row}]`, 'has a lone surrogate, which UTF-8 cannot say');
    seen.add(text);
  }
  if (profile.sampleTypes.length === 0) {
    return { ...broken('sample_type', 'there is none'), code: 'no_sample_types' };
  }
  const header = [
    ...profile.sampleTypes.flatMap(({ type, unit }) => [type, unit]),
    profile.periodType.type,
    profile.periodType.unit,
    profile.defaultSampleType,
    profile.dropFrames,
    profile.keepFrames,
    profile.docUrl,
    ...profile.comments,
  ];
  if (header.some((text) => !text.isWellFormed())) return broken('', 'a text of the header has a lone surrogate');
  for (const name of ['period', 'timeNanos', 'durationNanos'] as const) {
    if (BigInt.asIntN(64, profile[name]) !== profile[name]) return broken(name, 'does not fit a signed 64-bit integer');
  }
  return null;
}

/** The columns have `length` rows, and those that are indexes are below `bound`. */
function checkColumn(field: string, column: Uint32Array, length: number, bound: number): ProfileError | null {
  if (column.length !== length) return broken(field, `has ${column.length} rows where the table has ${length}`);
  for (let row = 0; row < length; row++) {
    if ((column[row] ?? 0) >= bound) return broken(`${field}[${row}]`, `${column[row]} is not below ${bound}`);
  }
  return null;
}

function checkLength(field: string, column: ArrayLike<unknown>, length: number): ProfileError | null {
  return column.length === length ? null : broken(field, `has ${column.length} rows where the table has ${length}`);
}

function checkMappings({ mappings, strings }: Profile): ProfileError | null {
  const { length } = mappings;
  if (length < 1) return broken('mapping', 'row 0, "none", is missing');
  return (
    checkLength('mapping.memory_start', mappings.memoryStart, length) ??
    checkLength('mapping.memory_limit', mappings.memoryLimit, length) ??
    checkLength('mapping.file_offset', mappings.fileOffset, length) ??
    checkLength('mapping.flags', mappings.flags, length) ??
    checkColumn('mapping.filename', mappings.fileString, length, strings.length) ??
    checkColumn('mapping.build_id', mappings.buildIdString, length, strings.length)
  );
}

function checkFunctions({ functions, strings }: Profile): ProfileError | null {
  const { length } = functions;
  if (length < 1) return broken('function', 'row 0, "none", is missing');
  return (
    checkLength('function.start_line', functions.startLine, length) ??
    checkColumn('function.name', functions.nameString, length, strings.length) ??
    checkColumn('function.system_name', functions.systemNameString, length, strings.length) ??
    checkColumn('function.filename', functions.fileString, length, strings.length)
  );
}

function checkLocations({ locations, mappings, functions }: Profile): ProfileError | null {
  const { length } = locations;
  if (length < 1) return broken('location', 'row 0, "none", is missing');
  return (
    checkColumn('location.mapping_id', locations.mapping, length, mappings.length) ??
    checkLength('location.address', locations.address, length) ??
    checkLength('location.is_folded', locations.isFolded, length) ??
    checkOffsets('location.line', locations.lineOffset, length, locations.lineFunction.length) ??
    checkColumn('line.function_id', locations.lineFunction, locations.lineFunction.length, functions.length) ??
    checkLength('line.line', locations.lineNumber, locations.lineFunction.length) ??
    checkLength('line.column', locations.lineColumn, locations.lineFunction.length)
  );
}

/** Offsets start at 0, never fall, end at `end`, and row 0 is empty. */
function checkOffsets(field: string, offsets: Uint32Array, length: number, end: number): ProfileError | null {
  if (offsets.length !== length + 1) return broken(field, `has ${offsets.length} offsets where ${length + 1} are due`);
  if (offsets[0] !== 0 || offsets[1] !== 0) return broken(field, 'row 0 is not empty');
  for (let row = 0; row < length; row++) {
    if ((offsets[row + 1] ?? 0) < (offsets[row] ?? 0)) return broken(`${field}[${row}]`, 'ends before it starts');
  }
  return offsets[length] === end ? null : broken(field, `ends at ${offsets[length]}, not at ${end}`);
}

function checkStacks({ stacks, locations }: Profile): ProfileError | null {
  const { length, parent, location } = stacks;
  if (length < 1) return broken('stack', 'row 0, the empty stack, is missing');
  const columns =
    checkColumn('stack.location', location, length, locations.length) ?? checkLength('stack.parent', parent, length);
  if (columns !== null) return columns;
  if (parent[0] !== 0 || location[0] !== 0) return broken('stack[0]', 'is not the empty stack');
  const seen = new Set<number>();
  for (let row = 1; row < length; row++) {
    const up = parent[row] ?? 0;
    const leaf = location[row] ?? 0;
    if (up >= row) return broken(`stack[${row}]`, `its parent ${up} does not precede it`);
    if (leaf === 0) return broken(`stack[${row}]`, 'its location is 0');
    // Exact: both are below 2^26 in anything that fits into memory.
    const key = up * locations.length + leaf;
    if (seen.has(key)) return broken(`stack[${row}]`, 'is there twice');
    seen.add(key);
  }
  return null;
}

function checkLabelSets({ labelSets, strings }: Profile): ProfileError | null {
  const { length, keyString } = labelSets;
  if (length < 1) return broken('label', 'set 0, the empty one, is missing');
  return (
    checkOffsets('label', labelSets.offset, length, keyString.length) ??
    checkColumn('label.key', keyString, keyString.length, strings.length) ??
    checkColumn('label.str', labelSets.textString, keyString.length, strings.length) ??
    checkLength('label.num', labelSets.number, keyString.length) ??
    checkColumn('label.num_unit', labelSets.unitString, keyString.length, strings.length)
  );
}

function checkSamples({ samples, sampleTypes, stacks, labelSets }: Profile): ProfileError | null {
  const { length } = samples;
  return (
    checkColumn('sample.stack', samples.stack, length, stacks.length) ??
    checkColumn('sample.label_set', samples.labelSet, length, labelSets.length) ??
    checkLength('sample.value', samples.values, length * sampleTypes.length) ??
    checkLength('sample.count', samples.count, length)
  );
}
