import { alignSides } from '../alignment/align-lines.ts';
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
 * as soon as somebody inserts a line above. Of the files that both sides have, such functions are matched in order and by what they cost (`alignSides`), and those
 * of the before side go to the id of the one on the after side. May add names to `table`: of a function that is gone while its name has passed to another.
 */
export function placesOf(table: FunctionTable, before: FunctionWeights, after: FunctionWeights): Places {
  const relocated = relocationsOf(table, before.inclusive, after.inclusive);
  const own = new Map<number, number>();
  for (const [left, right] of pairsOfFiles(table, before, after)) {
    const matched = alignSides(
      { lines: left, counts: before.inclusive, samples: before.samples },
      { lines: right, counts: after.inclusive, samples: after.samples },
    );
    if ([...matched].every(([line, other]) => line === other)) continue;
    for (const [line, id] of left) {
      const namesake = right.get(line);
      const place = right.get(matched.get(line) ?? Number.NaN);
      if (place !== undefined) own.set(id, place);
      // Its name is another's on the after side.
      else if (namesake !== undefined) own.set(id, namesake === id ? formerId(table, id) : id);
    }
  }
  const ofAfter = Uint32Array.from(table.name, (_, id) => relocated[id] ?? id);
  const ofBefore = ofAfter.slice();
  const formerNames = new Map<number, string>();
  for (const [id, place] of own) {
    ofBefore[id] = place;
    const name = table.name[id] ?? '';
    if (name !== table.name[place]) formerNames.set(place, name);
  }
  return { before: ofBefore, after: ofAfter, formerNames };
}

/** Functions of a file that are called by their lines, by line. */
type NumberedFunctions = ReadonlyMap<number, number>;

/** Files with such functions, by path. */
type Files = ReadonlyMap<string, NumberedFunctions>;

/** Files with such functions on both sides: the same, or the only ones of their name. */
function pairsOfFiles(
  table: FunctionTable,
  before: FunctionWeights,
  after: FunctionWeights,
): (readonly [NumberedFunctions, NumberedFunctions])[] {
  const others = filesByStem(table, after);
  return [...filesByStem(table, before)].flatMap(([stem, left]) => {
    const right: Files = others.get(stem) ?? new Map();
    const both = [...left.keys()].filter((path) => right.has(path));
    const pairs = both.map((path) => [left.get(path) ?? none, right.get(path) ?? none] as const);
    const [one, other] = [onlyBut(both, left), onlyBut(both, right)];
    return one === null || other === null ? pairs : [...pairs, [one, other] as const];
  });
}

/** Files with such functions that have samples, by what stands before the line: `(anonymous) cart.js:`. */
function filesByStem(table: FunctionTable, { inclusive }: FunctionWeights): ReadonlyMap<string, Files> {
  const stems = new Map<string, Map<string, Map<number, number>>>();
  for (const [id, name] of table.name.entries()) {
    const { stem = '', line = '' } = numbered.exec(name)?.groups ?? {};
    if (stem === '' || !((inclusive[id] ?? 0) > 0)) continue;
    const files = stems.get(stem) ?? new Map<string, Map<number, number>>();
    stems.set(stem, files);
    const path = table.file[id] ?? '';
    files.set(path, (files.get(path) ?? new Map<number, number>()).set(Number(line), id));
  }
  return stems;
}

/** Those of the only path that is not among these. */
function onlyBut(paths: readonly string[], side: Files): NumberedFunctions | null {
  const rest = [...side].filter(([path]) => !paths.includes(path)).map(([, functions]) => functions);
  return rest.length === 1 ? (rest[0] ?? none) : null;
}

const numbered = /^(?<stem>\(anonymous\) .+:)(?<line>\d+)$/u;
const none: NumberedFunctions = new Map();

function formerId(table: FunctionTable, id: number): number {
  return table.idOf(`${table.name[id] ?? ''}, before`, table.file[id] ?? '');
}
