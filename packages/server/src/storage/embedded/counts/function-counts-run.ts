import type { Labels } from '@everflame/profile';
import { type CountsRow, type FunctionCounts, type Selection, StorageError } from '../../storage.ts';
import { type Dictionary, functionWords } from '../dictionary.ts';
import { countTypeIndex } from '../header.ts';
import { excluded, LabelView, type SelectedSeries } from '../label-view.ts';
import { typeIndex } from '../merge-run.ts';
import type { Part, PartSeries, ProfileRow } from '../part.ts';
import { decodeTotals } from '../vector.ts';
import { Vector } from '../vector-scratch.ts';
import { FunctionSums, FunctionTotals } from './function-sums.ts';
import { StackFunctions } from './stack-functions.ts';
import { StackSums } from './stack-sums.ts';

interface Group {
  readonly labels: Labels;
  readonly cells: Map<number, Cell>;
}

/** What a row of the answer comes to so far. */
interface Cell {
  samples: number;
  value: bigint;
  durationNanos: bigint;
  profiles: number;
  readonly functions: FunctionTotals;
}

/** What a part needs for its stacks to be counted by function. */
interface Scan {
  readonly functions: StackFunctions;
  readonly stacks: StackSums;
  readonly sums: FunctionSums;
}

/** Counts stored profiles by function, by step and by labels of their series. */
export class FunctionCountsRun {
  readonly #selection: Selection;
  readonly #stepMs: number;
  readonly #by: readonly string[];
  readonly #labels = new LabelView([]);
  readonly #groups = new Map<string, Group>();
  readonly #names = new FunctionNames();
  readonly #vector = new Vector();
  #part: Part | null = null;
  /** By cell, in the numbers of the part at hand. */
  #ofPart = new Map<Cell, FunctionTotals>();
  #scan: Scan | null = null;

  constructor(selection: Selection, stepMs: number, by: readonly string[]) {
    if (Number.isFinite(stepMs) && (stepMs < 60_000 || stepMs % 60_000 !== 0))
      throw new RangeError(`a step of ${stepMs} ms is not one of minutes`);
    this.#selection = selection;
    this.#stepMs = stepMs;
    this.#by = by;
  }

  /** From here on series are those of this part. */
  begin(part: Part): void {
    this.#endPart();
    this.#part = part;
    this.#labels.use(part.dictionary);
  }

  add(series: PartSeries, selected: SelectedSeries): void {
    const { fromMs, untilMs, check } = this.#selection;
    const group = this.#group(series.labels);
    let cell: Cell | null = null;
    let step = Number.NaN;
    for (const [i, row] of series.rows().entries()) {
      if (row.timeMs < fromMs || row.timeMs >= untilMs) continue;
      const type = typeIndex(row.header, this.#selection);
      if (type < 0) continue;
      const sets = row.labelSets;
      const classes = this.#labels.classes(selected, sets.length === 0 ? new Uint32Array(1) : sets);
      if (classes.every((one) => one === excluded)) continue;
      check?.();
      const start = Number.isFinite(this.#stepMs) ? Math.floor(row.timeMs / this.#stepMs) * this.#stepMs : fromMs;
      if (cell === null || start !== step) {
        if (cell !== null) this.#moveScanned(cell);
        step = start;
        cell = cellOf(group, step);
      }
      series.read(i, this.#vector);
      this.#addVector(cell, row, classes, type);
    }
    if (cell !== null) this.#moveScanned(cell);
  }

  /** @throws StorageError `sum_overflow` */
  finish(): FunctionCounts {
    this.#endPart();
    const rows: CountsRow[] = [];
    for (const { labels, cells } of this.#groups.values()) {
      for (const [timeMs, cell] of [...cells].sort(([a], [b]) => a - b)) {
        const { samples, value, durationNanos, profiles, functions } = cell;
        if (value !== BigInt.asIntN(64, value))
          throw new StorageError('sum_overflow', 'the sum of a step leaves int64: ask for a shorter step');
        const { ids, self, inclusive } = withoutZeros(functions);
        rows.push({ labels, timeMs, samples, value, durationNanos, profiles, function: ids, self, inclusive });
      }
    }
    return { functions: this.#names.take(rows), rows };
  }

  #group(labels: Labels): Group {
    const own = Object.fromEntries(
      this.#by.flatMap((name) => (Object.hasOwn(labels, name) && labels[name] ? [[name, labels[name]]] : [])),
    );
    const key = JSON.stringify(own);
    const known = this.#groups.get(key) ?? { labels: own, cells: new Map<number, Cell>() };
    this.#groups.set(key, known);
    return known;
  }

  /** Adds what is wanted of the profile at hand: facts to the cell, samples to the scan. */
  #addVector(cell: Cell, row: ProfileRow, classes: Int32Array, type: number): void {
    const vector = this.#vector;
    const types = row.header.sampleTypes;
    const countType = countTypeIndex(types);
    const countColumn = countType < 0 ? types.length : countType;
    const isWhole = !classes.includes(excluded);
    const { stacks } = this.#scanned();
    const leaves = this.#part?.leaves ?? null;
    let value = 0n;
    for (let i = 0; i < vector.rows; i++) {
      if (!isWhole) {
        if ((classes[vector.sets[i] ?? 0] ?? excluded) === excluded) continue;
        value += vector.bigint(type, i);
      }
      if (countType < 0 && isZero(vector, types.length, i)) continue;
      const count = vector.number(countColumn, i);
      const leaf = vector.stacks[i] ?? 0;
      stacks.add(leaves === null ? leaf : (leaves[leaf] ?? 0), count);
      cell.samples += count;
    }
    cell.value += isWhole ? (decodeTotals(row.totals, types.length).values[type] ?? 0n) : value;
    cell.durationNanos += row.durationNanos;
    cell.profiles++;
  }

  #scanned(): Scan {
    if (this.#scan === null) {
      if (this.#part === null) throw new Error('no part is in use');
      const functions = stackFunctions(this.#part.dictionary);
      const sums = new FunctionSums(functions.distinct.length);
      this.#scan = { functions, stacks: new StackSums(functions), sums };
    }
    return this.#scan;
  }

  /** What was scanned goes into the cell. */
  #moveScanned(cell: Cell): void {
    const { stacks, sums } = this.#scanned();
    stacks.moveTo(sums);
    const totals = this.#ofPart.get(cell) ?? new FunctionTotals();
    this.#ofPart.set(cell, totals);
    totals.add(sums.take());
  }

  #endPart(): void {
    const ofPart = this.#ofPart;
    if (this.#part === null || ofPart.size === 0) return;
    const ids = this.#names.idsOf(this.#part.dictionary, this.#scanned().functions.distinct);
    const sums = new FunctionSums(this.#names.length);
    for (const [cell, { length, ids: own, self, inclusive }] of ofPart) {
      for (let i = 0; i < length; i++) {
        const id = ids[own[i] ?? 0] ?? 0;
        sums.addInclusive(id, inclusive[i] ?? 0);
        sums.addSelf(id, self[i] ?? 0);
      }
      ofPart.delete(cell);
      cell.functions.add(sums.take());
    }
    this.#scan = null;
  }
}

function cellOf({ cells }: Group, step: number): Cell {
  const known = cells.get(step);
  if (known !== undefined) return known;
  const cell = { samples: 0, value: 0n, durationNanos: 0n, profiles: 0, functions: new FunctionTotals() };
  cells.set(step, cell);
  return cell;
}

function isZero(vector: Vector, types: number, row: number): boolean {
  for (let t = 0; t < types; t++) if (vector.number(t, row) !== 0) return false;
  return true;
}

function withoutZeros(totals: FunctionTotals): Pick<FunctionTotals, 'ids' | 'self' | 'inclusive'> {
  const { ids, self, inclusive } = totals;
  const isSomething = (i: number) => self[i] !== 0 || inclusive[i] !== 0;
  if (ids.every((_, i) => isSomething(i))) return totals;
  return {
    ids: ids.filter((_, i) => isSomething(i)),
    self: self.filter((_, i) => isSomething(i)),
    inclusive: inclusive.filter((_, i) => isSomething(i)),
  };
}

/** Of an epoch the dictionary grows: then they are made anew. */
const known = new WeakMap<Dictionary, StackFunctions>();

function stackFunctions(dictionary: Dictionary): StackFunctions {
  let functions = known.get(dictionary);
  if (functions?.length !== dictionary.stacks.length) {
    functions = new StackFunctions(dictionary);
    known.set(dictionary, functions);
  }
  return functions;
}

/** Functions of several dictionaries, each (name, file) once. */
class FunctionNames {
  readonly #ids = new Map<string, number>();
  readonly #names: string[] = [];
  readonly #systems: string[] = [];
  readonly #files: string[] = [];

  get length(): number {
    return this.#names.length;
  }

  /** By number of a distinct function. */
  idsOf(dictionary: Dictionary, distinct: Uint32Array): Uint32Array {
    const { words } = dictionary.functions;
    const ids = new Uint32Array(distinct.length);
    for (let row = 1; row < distinct.length; row++) {
      if (distinct[row] !== row) continue;
      const at = row * functionWords.count;
      const name = dictionary.text(words[at + functionWords.name] ?? 0);
      const file = dictionary.text(words[at + functionWords.file] ?? 0);
      const key = `${name}\0${file}`;
      let id = this.#ids.get(key);
      if (id === undefined) {
        id = this.#names.push(name) - 1;
        this.#systems.push(dictionary.text(words[at + functionWords.systemName] ?? 0));
        this.#files.push(file);
        this.#ids.set(key, id);
      }
      ids[row] = id;
    }
    return ids;
  }

  /** The table of what the rows name; their ids become its positions. */
  take(rows: readonly CountsRow[]): FunctionCounts['functions'] {
    const isUsed = new Uint8Array(this.length);
    for (const row of rows) for (const id of row.function) isUsed[id] = 1;
    const numbers = new Uint32Array(this.length);
    const [name, system, file]: [string[], string[], string[]] = [[], [], []];
    for (let id = 0; id < this.length; id++) {
      if (isUsed[id] !== 1) continue;
      numbers[id] = name.push(this.#names[id] ?? '') - 1;
      system.push(this.#systems[id] ?? '');
      file.push(this.#files[id] ?? '');
    }
    for (const row of rows) for (const [i, id] of row.function.entries()) row.function[i] = numbers[id] ?? 0;
    return { name, system, file };
  }
}
