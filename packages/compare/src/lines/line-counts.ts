import type { Profile } from '@everflame/profile';
import { alignSides } from '../alignment/align-lines.ts';
import type { MergedSide } from '../profiles/call-tree-of-profiles.ts';
import { functionIdsOf } from '../profiles/counts-of-profile.ts';
import type { FunctionTable } from '../profiles/function-table.ts';
import type { Places } from '../profiles/places.ts';

/** Source lines of some functions, by cell. */
export interface LineCells {
  /** Function of each cell. */
  readonly functionId: readonly number[];
  /** Line number on each side; they differ where the line stands elsewhere in its file. 0: not seen on that side. */
  readonly lineBefore: readonly number[];
  readonly lineAfter: readonly number[];
  /** Samples that have the line on their stack, by unit and cell; once per sample. */
  readonly before: ReadonlyMap<string, Float64Array>;
  readonly after: ReadonlyMap<string, Float64Array>;
  /** Functions in which lines were matched as if text had been inserted or removed. */
  readonly edited: number;
}

/** More lines than this are those of generated code; then none is looked at. */
const MAX_CELLS = 5000;

/** A merged side, with who each of its label sets is. */
export interface LineSide extends MergedSide {
  readonly unitOf: (labelSet: number) => string;
}

/**
 * Counts samples by source line of the functions `wanted`. Lines of a function are told by their distance from its start where both sides know
 * that, so that a function which others pushed down has the same lines, else by their number; text that was inserted or removed within the
 * function is told by what the lines cost (`alignLines`). `null`: there are too many, or none is known. A side may be several profiles, a file each.
 */
export function countLines(
  before: readonly LineSide[],
  after: readonly LineSide[],
  table: FunctionTable,
  places: Places,
  wanted: ReadonlySet<number>,
): LineCells | null {
  const sides = [linesOf(before, table, places.before, wanted), linesOf(after, table, places.after, wanted)] as const;
  const [left, right] = sides;
  // Each has a cell, and matched ones share it.
  if (left.lines.length > MAX_CELLS || right.lines.length > MAX_CELLS) return null;
  const functionId: number[] = [];
  const numbers = [[] as number[], [] as number[]] as const;
  const cellOf = [new Uint32Array(left.lines.length), new Uint32Array(right.lines.length)] as const;
  const put = (side: 0 | 1, own: number, cell: number): void => {
    cellOf[side][own] = cell;
    numbers[side][cell] = sides[side].lines[own]?.line ?? 0;
  };
  let edited = 0;
  for (const id of wanted) {
    const starts = [left.starts.get(id) ?? 0, right.starts.get(id) ?? 0] as const;
    const isKnown = starts.every((start) => start > 0);
    const from = relativeLines(left, id, isKnown ? starts[0] : 0);
    const to = relativeLines(right, id, isKnown ? starts[1] : 0);
    const matched = alignSides(
      { lines: from, counts: left.weights, samples: left.samples },
      { lines: to, counts: right.weights, samples: right.samples },
    );
    if ([...matched].some(([line, other]) => line !== other)) edited++;
    for (const own of to.values()) put(1, own, functionId.push(id) - 1);
    for (const [line, own] of from) {
      const other = to.get(matched.get(line) ?? Number.NaN);
      put(0, own, other === undefined ? functionId.push(id) - 1 : (cellOf[1][other] ?? 0));
    }
  }
  if (functionId.length === 0 || functionId.length > MAX_CELLS) return null;
  const dense = (side: 0 | 1): Map<string, Float64Array> =>
    new Map(
      [...sides[side].units].map(([unit, counts]) => {
        const row = new Float64Array(functionId.length);
        for (const [own, count] of counts) row[cellOf[side][own] ?? 0] = count;
        return [unit, row];
      }),
    );
  return {
    functionId,
    lineBefore: functionId.map((_, cell) => numbers[0][cell] ?? 0),
    lineAfter: functionId.map((_, cell) => numbers[1][cell] ?? 0),
    before: dense(0),
    after: dense(1),
    edited,
  };
}

/** The lines of one side, numbered as they were met. */
interface SideLines {
  readonly lines: readonly { readonly id: number; readonly line: number }[];
  readonly byFunction: ReadonlyMap<number, readonly number[]>;
  /** Samples by unit and line; of each line; of all. */
  readonly units: ReadonlyMap<string, ReadonlyMap<number, number>>;
  readonly weights: Float64Array;
  readonly samples: number;
  /** Where functions start. */
  readonly starts: ReadonlyMap<number, number>;
}

function linesOf(
  sides: readonly LineSide[],
  table: FunctionTable,
  places: Uint32Array,
  wanted: ReadonlySet<number>,
): SideLines {
  const lines: { id: number; line: number }[] = [];
  const numbers = new Map<string, number>();
  const units = new Map<string, Map<number, number>>();
  let samples = 0;
  for (const side of sides) {
    const numberOf = lineRows(side.profile, table, places, wanted, (id, line) => {
      const key = `${id} ${line}`;
      const number = numbers.get(key) ?? lines.push({ id, line }) - 1;
      numbers.set(key, number);
      return number;
    });
    samples += addSamples(side, numberOf, units);
  }
  const weights = new Float64Array(lines.length);
  for (const counts of units.values())
    for (const [number, count] of counts) weights[number] = (weights[number] ?? 0) + count;
  const byFunction = Map.groupBy(lines.keys(), (number) => lines[number]?.id ?? 0);
  return { lines, byFunction, units, weights, samples, starts: startsOf(sides, table, places, wanted) };
}

/** Numbers of a function's lines, by their distance from `start`. */
function relativeLines({ lines, byFunction }: SideLines, id: number, start: number): ReadonlyMap<number, number> {
  return new Map((byFunction.get(id) ?? []).map((number) => [(lines[number]?.line ?? 0) - start, number]));
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

/** The number of each row of a profile's lines; -1 for those that are not looked at. */
function lineRows(
  profile: Profile,
  table: FunctionTable,
  places: Uint32Array,
  wanted: ReadonlySet<number>,
  numberOf: (id: number, line: number) => number,
): Int32Array {
  const ids = functionIdsOf(profile, table);
  const { lineFunction, lineNumber } = profile.locations;
  return Int32Array.from(lineFunction, (row, i) => {
    const id = ids[row] ?? 0;
    const place = places[id] ?? id;
    const line = Number(lineNumber[i] ?? 0n);
    return wanted.has(place) && line > 0 ? numberOf(place, line) : -1;
  });
}

/** Adds a profile's samples by unit and line; answers how many it has. */
function addSamples(
  { profile, typeIndex, unitOf }: LineSide,
  numberOf: Int32Array,
  units: Map<string, Map<number, number>>,
): number {
  const { samples, stacks, locations, sampleTypes } = profile;
  const unitOfSet = Array.from({ length: profile.labelSets.length }, (_, set) => unitOf(set));
  const seen = new Map<number, number>();
  let all = 0;
  for (let i = 0; i < samples.length; i++) {
    if (samples.values[i * sampleTypes.length + typeIndex] === 0n) continue;
    const count = samples.count[i] ?? 0;
    all += count;
    const unit = unitOfSet[samples.labelSet[i] ?? 0] ?? '';
    let row = units.get(unit);
    if (row === undefined) units.set(unit, (row = new Map()));
    for (let stack = samples.stack[i] ?? 0; stack > 0; stack = stacks.parent[stack] ?? 0) {
      const location = stacks.location[stack] ?? 0;
      const end = locations.lineOffset[location + 1] ?? 0;
      for (let line = locations.lineOffset[location] ?? 0; line < end; line++) {
        const number = numberOf[line] ?? -1;
        if (number < 0 || seen.get(number) === i) continue;
        seen.set(number, i);
        row.set(number, (row.get(number) ?? 0) + count);
      }
    }
  }
  return all;
}
