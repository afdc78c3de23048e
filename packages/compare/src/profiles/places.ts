import { alignLines } from '../alignment/align-lines.ts';
import type { FunctionTable } from './function-table.ts';
import { relocationsOf } from './relocations.ts';

/** Where the counts of each function go, by id. They differ where a function has the name that another has on the other side. */
export interface Places {
  readonly before: Uint32Array;
  readonly after: Uint32Array;
  /** What functions without a name are called on the before side, by place, where that is another line. */
  readonly formerNames: ReadonlyMap<number, string>;
}

/** A side's samples by function id, inclusive, as far as there are any. Other windows of a version count to its side. */
export interface FunctionWeights {
  readonly samples: number;
  readonly inclusive: Float64Array;
}

/**
 * Where functions go: see `relocationsOf`, and one kind more. A function without a name is called by its line, `(anonymous) cart.js:62`, and so by another one
 * as soon as somebody inserts a line above. Of the files that both sides have, such functions are matched in order and by what they cost (`alignLines`), and those
 * of the before side go to the id of the one on the after side. May add names to `table`: of a function that is gone while its name has passed to another.
 */
export function placesOf(table: FunctionTable, before: FunctionWeights, after: FunctionWeights): Places {
  const relocated = relocationsOf(table, before.inclusive, after.inclusive);
  const own = new Map<number, number>();
  const samples = Math.min(before.samples, after.samples);
  for (const [left, right] of pairsOfFiles(table, before, after)) {
    const from = weightsOf(left, before, samples);
    const to = weightsOf(right, after, samples);
    const matched = alignLines(from, to);
    if ([...matched].every(([line, other]) => line === other)) continue;
    for (const [line, id] of left) {
      const namesake = right.get(line);
      const place = right.get(matched.get(line) ?? Number.NaN);
      if (place !== undefined) own.set(id, place);
      // Its name is another's on the after side.
      else if (namesake !== undefined) own.set(id, namesake === id ? formerId(table, id) : id);
    }
  }
  const places = (moved: ReadonlyMap<number, number>): Uint32Array =>
    Uint32Array.from(table.name, (_, id) => {
      const place = relocated[id] ?? id;
      return moved.get(id) ?? place;
    });
  const formerNames = new Map(
    [...own].flatMap(([id, place]) => {
      const name = table.name[id] ?? '';
      return name === table.name[place] ? [] : [[place, name] as const];
    }),
  );
  return { before: places(own), after: places(new Map()), formerNames };
}

/** Functions of a file that are called by their lines, by line. */
type NumberedFunctions = ReadonlyMap<number, number>;

type FilesOfSide = Map<string, Map<number, number>>;

/** Files with such functions on both sides: the same, or the only ones of their name. */
function pairsOfFiles(
  table: FunctionTable,
  before: FunctionWeights,
  after: FunctionWeights,
): (readonly [NumberedFunctions, NumberedFunctions])[] {
  /** By what stands before the line: `(anonymous) cart.js:`; on each side by path. */
  const groups = new Map<string, readonly [FilesOfSide, FilesOfSide]>();
  for (let id = 0; id < table.length; id++) {
    const groupsOfName = numbered.exec(table.name[id] ?? '')?.groups;
    if (groupsOfName === undefined) continue;
    const { stem = '', line = '' } = groupsOfName;
    const group = groups.get(stem) ?? [new Map(), new Map()];
    groups.set(stem, group);
    for (const [side, { inclusive }] of [before, after].entries()) {
      const path = table.file[id] ?? '';
      if (!((inclusive[id] ?? 0) > 0)) continue;
      const lines = group[side]?.get(path) ?? new Map<number, number>();
      group[side]?.set(path, lines.set(Number(line), id));
    }
  }
  return [...groups.values()].flatMap(([left, right]) => {
    const both = [...left.keys()].filter((path) => right.has(path));
    const pairs = both.map((path) => [left.get(path) ?? none, right.get(path) ?? none] as const);
    const [one, other] = [onlyBut(both, left), onlyBut(both, right)];
    return one === null || other === null ? pairs : [...pairs, [one, other] as const];
  });
}

/** Those of the only path that is not among these. */
function onlyBut(paths: readonly string[], side: ReadonlyMap<string, NumberedFunctions>): NumberedFunctions | null {
  const rest = [...side].filter(([path]) => !paths.includes(path)).map(([, functions]) => functions);
  return rest.length === 1 ? (rest[0] ?? none) : null;
}

const numbered = /^(?<stem>\(anonymous\) .+:)(?<line>\d+)$/u;
const none: NumberedFunctions = new Map();

function weightsOf(functions: NumberedFunctions, side: FunctionWeights, samples: number): ReadonlyMap<number, number> {
  const scale = samples / side.samples;
  return new Map([...functions].map(([line, id]) => [line, (side.inclusive[id] ?? 0) * scale]));
}

function formerId(table: FunctionTable, id: number): number {
  return table.idOf(`${table.name[id] ?? ''}, before`, table.file[id] ?? '');
}
