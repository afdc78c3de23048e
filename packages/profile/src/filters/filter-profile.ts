import { addInt64 } from '../build/overflow.ts';
import type { Profile, SampleTable, StackTable } from '../profile.ts';
import { stackColumns } from '../tables/columns.ts';
import { PairTable } from '../tables/pair-table.ts';
import { dropUninteresting } from '../views/drop-frames.ts';
import { filterLabels } from './filter-labels.ts';
import { type FilteredFrames, filterLocations, FOCUSED, HIDDEN, IGNORED, SHOWN_FROM } from './filter-locations.ts';
import { isUnfiltered, type ProfileFilters } from './profile-filters.ts';

/**
 * The profile as `go tool pprof` sees it with the same filters set: first without the frames that the profile itself calls
 * uninteresting, then `focus`, `ignore`, `hide`, `show`, then `show_from`, then the labels (google/pprof,
 * internal/driver/driver_focus.go, applyFocus, and profile/filter.go). Samples that become the same are summed, exactly. Without
 * filters the profile itself is answered. `check` is called now and then; what it throws ends the work. Throws a
 * `ProfileFailure` with the code `overflow` when a sum does not fit int64.
 */
export function filterProfile(source: Profile, filters: ProfileFilters, check: () => void = () => undefined): Profile {
  if (isUnfiltered(filters)) return source;
  const profile = dropUninteresting(source);
  const frames = filterLocations(profile, filters, check);
  check();
  const { stacks, rowOf, isKept } = filterStacks(profile.stacks, frames);
  check();
  const labels = filterLabels(profile, filters, check);
  const keptStacks = frames.isNamed ? isKept : null;
  return {
    ...profile,
    locations: frames.locations,
    stacks,
    labelSets: labels.labelSets,
    samples: filterSamples(profile, { rowOf, keptStacks, setOf: labels.setOf, keptSets: labels.isKept }),
  };
}

interface FilteredStacks {
  readonly stacks: StackTable;
  /** The new row of each stack. */
  readonly rowOf: Uint32Array;
  /** Whether samples of a stack stay. */
  readonly isKept: Uint8Array;
}

/** Parents come first, so that each stack knows what its callers have decided. */
function filterStacks(table: StackTable, { isNamed, showsFrom, marks }: FilteredFrames): FilteredStacks {
  const isKept = new Uint8Array(table.length);
  const rowOf = new Uint32Array(table.length);
  if (!isNamed) {
    for (let s = 0; s < table.length; s++) rowOf[s] = s;
    return { stacks: table, rowOf, isKept };
  }
  const stacks = new PairTable(table.length);
  stacks.intern(0, 0);
  // What the locations of a stack are, all together; the frames that are hidden count for focus and ignore.
  const seen = new Uint8Array(table.length);
  const hides = marks.some((mark) => (mark & HIDDEN) !== 0);
  for (let s = 1; s < table.length; s++) {
    const parent = table.parent[s] ?? 0;
    const location = table.location[s] ?? 0;
    const mark = marks[location] ?? 0;
    const isHidden = (mark & HIDDEN) !== 0;
    const all = (seen[parent] ?? 0) | (isHidden ? mark & ~SHOWN_FROM : mark);
    seen[s] = all;
    const above = rowOf[parent] ?? 0;
    const isFrame = !isHidden && (!showsFrom || (all & SHOWN_FROM) !== 0);
    const row = isFrame ? stacks.intern(above, location) : above;
    rowOf[s] = row;
    const isChosen = (all & FOCUSED) !== 0 && (all & IGNORED) === 0;
    isKept[s] = isChosen && (row !== 0 || !(hides || showsFrom)) ? 1 : 0;
  }
  return { stacks: stackColumns(stacks), rowOf, isKept };
}

interface Rows {
  readonly rowOf: Uint32Array;
  /** Null: all stay. */
  readonly keptStacks: Uint8Array | null;
  readonly setOf: Uint32Array;
  readonly keptSets: Uint8Array;
}

function filterSamples({ samples, sampleTypes }: Profile, { rowOf, keptStacks, setOf, keptSets }: Rows): SampleTable {
  const typeCount = sampleTypes.length;
  const rows = new PairTable(samples.length);
  const values = new BigInt64Array(samples.values.length);
  const count = new Float64Array(samples.length);
  for (let i = 0; i < samples.length; i++) {
    const stack = samples.stack[i] ?? 0;
    const set = samples.labelSet[i] ?? 0;
    if (keptStacks !== null && keptStacks[stack] !== 1) continue;
    if (keptSets[set] !== 1) continue;
    const row = rows.intern(rowOf[stack] ?? 0, setOf[set] ?? 0);
    count[row] = (count[row] ?? 0) + (samples.count[i] ?? 0);
    for (let t = 0; t < typeCount; t++) {
      const at = row * typeCount + t;
      values[at] = addInt64(values[at] ?? 0n, samples.values[i * typeCount + t] ?? 0n);
    }
  }
  const { first, second } = rows.columns();
  return {
    length: rows.length,
    stack: first,
    labelSet: second,
    values: values.slice(0, rows.length * typeCount),
    count: count.slice(0, rows.length),
  };
}
