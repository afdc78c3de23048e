import type { Profile } from '@everflame/profile';
import type { MergedSide } from '../profiles/call-tree-of-profiles.ts';
import { functionIdsOf } from '../profiles/counts-of-profile.ts';
import type { FunctionTable } from '../profiles/function-table.ts';

/** Source lines of some functions, by cell. */
export interface LineCells {
  /** Function of each cell. */
  readonly functionId: readonly number[];
  /** Line number on each side; they differ where the function stands elsewhere in its file. 0: not seen on that side. */
  readonly lineBefore: readonly number[];
  readonly lineAfter: readonly number[];
  /** Samples that have the line on their stack, by unit and cell; once per sample. */
  readonly before: ReadonlyMap<string, Float64Array>;
  readonly after: ReadonlyMap<string, Float64Array>;
}

/** More lines than this are those of generated code; then none is looked at. */
const MAX_CELLS = 5000;

/** A merged side, with who each of its label sets is. */
export interface LineSide extends MergedSide {
  readonly unitOf: (labelSet: number) => string;
}

/**
 * Counts samples by source line of the functions `wanted`. Lines of a function are told by their distance from its start where both sides know
 * that, so that a function which others pushed down has the same lines; else by their number. `null`: there are too many, or none is known.
 * A side may be several profiles, a file each.
 */
export function countLines(
  before: readonly LineSide[],
  after: readonly LineSide[],
  table: FunctionTable,
  places: Uint32Array,
  wanted: ReadonlySet<number>,
): LineCells | null {
  const starts = [startsOf(before, table, places, wanted), startsOf(after, table, places, wanted)] as const;
  const isKnown = (id: number): boolean => starts.every((start) => (start.get(id) ?? 0) > 0);
  const cells = new Map<string, number>();
  const functionId: number[] = [];
  const numbers = [[] as number[], [] as number[]] as const;
  const count = (sides: readonly LineSide[], side: 0 | 1): Map<string, Map<number, number>> => {
    const units = new Map<string, Map<number, number>>();
    for (const one of sides) {
      const cellOf = lineRows(one.profile, table, places, wanted, (id, line) => {
        const key = `${id} ${line - (isKnown(id) ? (starts[side].get(id) ?? 0) : 0)} ${isKnown(id)}`;
        const cell = cells.get(key) ?? functionId.push(id) - 1;
        cells.set(key, cell);
        numbers[side][cell] = line;
        return cell;
      });
      addSamples(one, cellOf, units);
    }
    return units;
  };
  const counted = [count(before, 0), count(after, 1)] as const;
  if (functionId.length === 0 || functionId.length > MAX_CELLS) return null;
  const dense = (units: ReadonlyMap<string, ReadonlyMap<number, number>>): Map<string, Float64Array> =>
    new Map([...units].map(([unit, row]) => [unit, Float64Array.from(functionId, (_, cell) => row.get(cell) ?? 0)]));
  return {
    functionId,
    lineBefore: functionId.map((_, cell) => numbers[0][cell] ?? 0),
    lineAfter: functionId.map((_, cell) => numbers[1][cell] ?? 0),
    before: dense(counted[0]),
    after: dense(counted[1]),
  };
}

/** Where functions start; 0 where a profile does not say, or says several. */
function startsOf(
  sides: readonly LineSide[],
  table: FunctionTable,
  places: Uint32Array,
  wanted: ReadonlySet<number>,
): ReadonlyMap<number, number> {
  const starts = new Map<number, number>();
  for (const { profile } of sides) {
    const ids = functionIdsOf(profile, table);
    for (const [row, id] of ids.entries()) {
      const place = places[id] ?? id;
      if (!wanted.has(place)) continue;
      const start = Number(profile.functions.startLine[row] ?? 0n);
      const known = starts.get(place);
      starts.set(place, known === undefined || known === start ? start : 0);
    }
  }
  return starts;
}

/** The cell of each row of a profile's lines; -1 for those that are not looked at. */
function lineRows(
  profile: Profile,
  table: FunctionTable,
  places: Uint32Array,
  wanted: ReadonlySet<number>,
  cellOf: (id: number, line: number) => number,
): Int32Array {
  const ids = functionIdsOf(profile, table);
  const { lineFunction, lineNumber } = profile.locations;
  return Int32Array.from(lineFunction, (row, i) => {
    const id = ids[row] ?? 0;
    const place = places[id] ?? id;
    const line = Number(lineNumber[i] ?? 0n);
    return wanted.has(place) && line > 0 ? cellOf(place, line) : -1;
  });
}

function addSamples(
  { profile, typeIndex, unitOf }: LineSide,
  cellOf: Int32Array,
  units: Map<string, Map<number, number>>,
): void {
  const { samples, stacks, locations, sampleTypes } = profile;
  const unitOfSet = Array.from({ length: profile.labelSets.length }, (_, set) => unitOf(set));
  const seen = new Map<number, number>();
  for (let i = 0; i < samples.length; i++) {
    if (samples.values[i * sampleTypes.length + typeIndex] === 0n) continue;
    const unit = unitOfSet[samples.labelSet[i] ?? 0] ?? '';
    let row = units.get(unit);
    if (row === undefined) units.set(unit, (row = new Map()));
    for (let stack = samples.stack[i] ?? 0; stack > 0; stack = stacks.parent[stack] ?? 0) {
      const location = stacks.location[stack] ?? 0;
      const end = locations.lineOffset[location + 1] ?? 0;
      for (let line = locations.lineOffset[location] ?? 0; line < end; line++) {
        const cell = cellOf[line] ?? -1;
        if (cell < 0 || seen.get(cell) === i) continue;
        seen.set(cell, i);
        row.set(cell, (row.get(cell) ?? 0) + (samples.count[i] ?? 0));
      }
    }
  }
}
