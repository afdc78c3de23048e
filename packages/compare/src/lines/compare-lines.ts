import { compare } from '../compare.ts';
import type { CompareInput, Comparison, FunctionComparison } from '../comparison.ts';
import type { SideCounts } from '../counts/side-counts.ts';
import type { PastComparison } from '../effects/analyse.ts';
import type { LineComparison } from './line-comparison.ts';
import type { LineCells } from './line-counts.ts';

/**
 * The comparison with the lines of its functions. Lines are tested like functions and together with them, by the same noise and
 * against the same dilution; what is said of the functions stays. Lines without a function's self counts add nothing to the whole.
 */
export function withLines(comparison: Comparison, input: CompareInput, cells: LineCells): Comparison {
  const functions = input.functions.name.length;
  const names = cells.functionId.map((id, cell) => `${input.functions.name[id] ?? ''} line ${cell}`);
  const { tree, extended, controls, ...plain } = input;
  // Of what these say for functions nothing is said for lines.
  void [tree, extended, controls];
  const result = compare({
    ...plain,
    before: appended(input.before, cells.before, names.length),
    after: appended(input.after, cells.after, names.length),
    functions: {
      name: [...input.functions.name, ...names],
      file: [...input.functions.file, ...cells.functionId.map((id) => input.functions.file[id] ?? '')],
    },
    past: (input.past ?? []).map((one) => longer(one, names.length)),
  });
  const lines = new Map<number, LineComparison[]>();
  for (const row of result.functions) {
    if (row.id < functions) continue;
    const cell = row.id - functions;
    const id = cells.functionId[cell] ?? 0;
    const of = lines.get(id) ?? [];
    of.push(lineOf(row, cells.lineBefore[cell] ?? 0, cells.lineAfter[cell] ?? 0));
    lines.set(id, of);
  }
  const { edited } = cells;
  const matched = `lines of ${edited === 1 ? 'a function' : `${edited} functions`} are matched as if text had been inserted or removed between them, in order and by what they cost`;
  return {
    ...comparison,
    assumptions: edited === 0 ? comparison.assumptions : [...comparison.assumptions, matched],
    functions: comparison.functions.map((row) => ({ ...row, lines: lines.get(row.id) ?? null })),
  };
}

function lineOf(row: FunctionComparison, lineBefore: number, lineAfter: number): LineComparison {
  const { before, after, change, interval, q, verdict, verdictText, samplesBefore, samplesAfter } = row;
  return {
    lineBefore: samplesBefore > 0 ? lineBefore : null,
    lineAfter: samplesAfter > 0 ? lineAfter : null,
    before,
    after,
    change,
    interval,
    q,
    verdict,
    verdictText,
    samplesBefore,
    samplesAfter,
  };
}

/** A side with `length` more functions behind the others, from their counts by unit. */
function appended(side: SideCounts, counts: ReadonlyMap<string, Float64Array>, length: number): SideCounts {
  const functionStart = new Uint32Array(side.functionStart.length + length);
  functionStart.set(side.functionStart);
  const unit: number[] = [];
  const inclusive: number[] = [];
  for (let cell = 0; cell < length; cell++) {
    for (const [u, name] of side.unitNames.entries()) {
      const count = counts.get(name)?.[cell] ?? 0;
      if (count === 0) continue;
      unit.push(u);
      inclusive.push(count);
    }
    functionStart[side.functionStart.length + cell] = side.cellUnit.length + unit.length;
  }
  return {
    ...side,
    functionStart,
    cellUnit: joined(side.cellUnit, unit),
    cellSelf: joined(side.cellSelf, new Float64Array(unit.length)),
    cellInclusive: joined(side.cellInclusive, inclusive),
  };
}

function joined<T extends Uint32Array | Float64Array>(column: T, more: ArrayLike<number>): T {
  const Column = column.constructor as new (length: number) => T;
  const result = new Column(column.length + more.length);
  result.set(column);
  result.set(more, column.length);
  return result;
}

/** Nothing is known of how lines wander: they do as a typical function does. */
function longer({ inclusive, self, cores }: PastComparison, length: number): PastComparison {
  const unknown = new Float64Array(length).fill(Number.NaN);
  const both = (one: PastComparison['self']): PastComparison['self'] => ({
    theta: joined(one.theta, unknown),
    variance: joined(one.variance, unknown),
  });
  return { inclusive: both(inclusive), self: both(self), cores };
}
