import type { Profile } from '@everflame/profile';
import { NO_FUNCTION } from '../explain/call-tree.ts';
import type { FunctionTable } from './function-table.ts';

/** What one group of a profile's samples counts, ready for a `CountsBuilder`. The columns have equal length, ids ascend. */
export interface GroupCounts {
  readonly samples: number;
  /** Sum of the asked sample type. */
  readonly value: bigint;
  readonly functions: Uint32Array;
  readonly self: Float64Array;
  readonly inclusive: Float64Array;
}

/**
 * Samples by function, for each group that `groupOf` names for a label set (`null`: left out). A function counts once per sample however deep it
 * recurses; a sample whose value is 0 counts nothing, as in a flame graph; names go into `table`. Cost: samples × depth, and memory of
 * groups × functions.
 */
export function countsOfProfile(
  profile: Profile,
  typeIndex: number,
  table: FunctionTable,
  groupOf: (labelSet: number) => string | null,
): ReadonlyMap<string, GroupCounts> {
  const ids = functionIdsOf(profile, table);
  const groups = new Map<string, Group>();
  const groupOfSet = Array.from({ length: profile.labelSets.length }, (_, set) => groupOf(set));
  const seen = new Uint32Array(table.length);
  const { samples, stacks, locations, sampleTypes } = profile;
  for (let i = 0; i < samples.length; i++) {
    const name = groupOfSet[samples.labelSet[i] ?? 0] ?? null;
    const value = samples.values[i * sampleTypes.length + typeIndex] ?? 0n;
    if (name === null || value === 0n) continue;
    let group = groups.get(name);
    if (group === undefined) groups.set(name, (group = new Group(table.length)));
    const count = samples.count[i] ?? 0;
    group.samples += count;
    group.value += value;
    let isLeaf = true;
    for (let stack = samples.stack[i] ?? 0; stack > 0; stack = stacks.parent[stack] ?? 0) {
      const location = stacks.location[stack] ?? 0;
      const end = locations.lineOffset[location + 1] ?? 0;
      const start = locations.lineOffset[location] ?? 0;
      for (let line = start; line < end; line++) {
        const id = ids[locations.lineFunction[line] ?? 0] ?? NO_FUNCTION;
        if (id !== NO_FUNCTION) {
          if (isLeaf) group.self[id] = (group.self[id] ?? 0) + count;
          if (seen[id] !== i + 1) group.inclusive[id] = (group.inclusive[id] ?? 0) + count;
          seen[id] = i + 1;
        }
        isLeaf = false;
      }
      isLeaf = false;
    }
  }
  return new Map([...groups].map(([name, group]) => [name, group.finish()]));
}

/** Ids of a profile's functions, by their row. */
export function functionIdsOf({ functions, strings }: Profile, table: FunctionTable): Uint32Array {
  return Uint32Array.from({ length: functions.length }, (_, row) =>
    table.idOf(strings[functions.nameString[row] ?? 0] ?? '', strings[functions.fileString[row] ?? 0] ?? ''),
  );
}

class Group {
  samples = 0;
  value = 0n;
  readonly self: Float64Array;
  readonly inclusive: Float64Array;

  constructor(functions: number) {
    this.self = new Float64Array(functions);
    this.inclusive = new Float64Array(functions);
  }

  finish(): GroupCounts {
    const ids: number[] = [];
    for (let id = 0; id < this.inclusive.length; id++) if (this.inclusive[id] !== 0) ids.push(id);
    return {
      samples: this.samples,
      value: this.value,
      functions: Uint32Array.from(ids),
      self: Float64Array.from(ids, (id) => this.self[id] ?? 0),
      inclusive: Float64Array.from(ids, (id) => this.inclusive[id] ?? 0),
    };
  }
}
