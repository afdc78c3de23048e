import type { Profile } from '@everflame/profile';
import { type CallTree, NO_FUNCTION } from '../explain/call-tree.ts';
import { functionIdsOf } from './counts-of-profile.ts';
import type { FunctionTable } from './function-table.ts';
import type { Places } from './places.ts';

/** A side as it is merged: one profile, and the sample type that is compared. */
export interface MergedSide {
  readonly profile: Profile;
  readonly typeIndex: number;
}

/**
 * The call tree of both sides, a node for each path of functions by name and file, inlined ones included; frames without a name are left out.
 * `places`: see `placesOf`. `check` is called now and then; what it throws ends the work.
 */
export function callTreeOfProfiles(
  before: MergedSide,
  after: MergedSide,
  table: FunctionTable,
  places: Places,
  check: () => void = () => undefined,
): CallTree {
  const idsOf = ({ profile }: MergedSide, placeOf: Uint32Array): Uint32Array =>
    functionIdsOf(profile, table).map((id) => (id === NO_FUNCTION ? id : (placeOf[id] ?? NO_FUNCTION)));
  const ids = { before: idsOf(before, places.before), after: idsOf(after, places.after) };
  const nodes = new Nodes(table.length);
  const placeBefore = nodes.adopt(before.profile, ids.before, check);
  const placeAfter = nodes.adopt(after.profile, ids.after, check);
  return {
    parent: Uint32Array.from(nodes.parent),
    functionId: Uint32Array.from(nodes.functionId),
    before: totals(before, placeBefore, nodes.parent),
    after: totals(after, placeAfter, nodes.parent),
  };
}

class Nodes {
  readonly parent: number[] = [0];
  readonly functionId: number[] = [NO_FUNCTION];
  readonly #functions: number;
  readonly #known = new Map<number, number>();

  constructor(functions: number) {
    this.#functions = functions;
  }

  /** Adds a profile's stacks; answers the node of each. */
  adopt({ stacks, locations }: Profile, ids: Uint32Array, check: () => void): Uint32Array {
    const place = new Uint32Array(stacks.length);
    // Parents come before children.
    for (let stack = 1; stack < stacks.length; stack++) {
      if (stack % 4096 === 0) check();
      let node = place[stacks.parent[stack] ?? 0] ?? 0;
      const location = stacks.location[stack] ?? 0;
      const first = locations.lineOffset[location] ?? 0;
      for (let line = (locations.lineOffset[location + 1] ?? 0) - 1; line >= first; line--)
        node = this.#child(node, ids[locations.lineFunction[line] ?? 0] ?? NO_FUNCTION);
      place[stack] = node;
    }
    return place;
  }

  #child(parent: number, id: number): number {
    if (id === NO_FUNCTION) return parent;
    const key = parent * this.#functions + id;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const node = this.parent.push(parent) - 1;
    this.functionId.push(id);
    this.#known.set(key, node);
    return node;
  }
}

function totals({ profile, typeIndex }: MergedSide, place: Uint32Array, parent: readonly number[]): Float64Array {
  const { samples, sampleTypes } = profile;
  const total = new Float64Array(parent.length);
  for (let i = 0; i < samples.length; i++) {
    if (samples.values[i * sampleTypes.length + typeIndex] === 0n) continue;
    const node = place[samples.stack[i] ?? 0] ?? 0;
    total[node] = (total[node] ?? 0) + (samples.count[i] ?? 0);
  }
  for (let node = parent.length - 1; node > 0; node--) {
    const up = parent[node] ?? 0;
    total[up] = (total[up] ?? 0) + (total[node] ?? 0);
  }
  return total;
}
