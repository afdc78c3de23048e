import { discard } from '@everflame/profile';

/** Samples by function in order of ids, the first `length` of each column. */
export interface FunctionColumns {
  readonly length: number;
  readonly ids: Uint32Array;
  readonly self: Float64Array;
  readonly inclusive: Float64Array;
}

/** Sums by function in one array element each: for many additions, taken out as columns. */
export class FunctionSums {
  readonly #self: Float64Array;
  readonly #inclusive: Float64Array;
  readonly #isTouched: Uint8Array;
  readonly #touched: Uint32Array;
  #touchedCount = 0;
  #columns = { length: 0, ids: new Uint32Array(0), self: new Float64Array(0), inclusive: new Float64Array(0) };

  /** Ids are below `size`. */
  constructor(size: number) {
    this.#self = new Float64Array(size);
    this.#inclusive = new Float64Array(size);
    this.#isTouched = new Uint8Array(size);
    this.#touched = new Uint32Array(size);
  }

  /** To a function that the same samples are added to inclusively. */
  addSelf(id: number, count: number): void {
    this.#self[id] = (this.#self[id] ?? 0) + count;
  }

  addInclusive(id: number, count: number): void {
    if (this.#isTouched[id] === 0) {
      this.#isTouched[id] = 1;
      this.#touched[this.#touchedCount++] = id;
    }
    this.#inclusive[id] = (this.#inclusive[id] ?? 0) + count;
  }

  /** Empties it into columns, which hold until the next call. Functions without a sample are left out. */
  take(): FunctionColumns {
    const touched = this.#touched.subarray(0, this.#touchedCount);
    const size = this.#isTouched.length;
    if (this.#columns.ids.length < touched.length) {
      const capacity = Math.min(size, touched.length * 2);
      const [ids, self, inclusive] = [
        new Uint32Array(capacity),
        new Float64Array(capacity),
        new Float64Array(capacity),
      ];
      this.#columns = { length: 0, ids, self, inclusive };
    }
    this.#columns.length = 0;
    if (touched.length * sortCost < size) for (const id of touched.sort()) this.#takeOne(id);
    else for (let id = 0; id < size; id++) if (this.#isTouched[id] === 1) this.#takeOne(id);
    this.#touchedCount = 0;
    return this.#columns;
  }

  #takeOne(id: number): void {
    const self = this.#self[id] ?? 0;
    const inclusive = this.#inclusive[id] ?? 0;
    this.#isTouched[id] = 0;
    if (self === 0 && inclusive === 0) return;
    this.#self[id] = 0;
    this.#inclusive[id] = 0;
    const columns = this.#columns;
    columns.ids[columns.length] = id;
    columns.self[columns.length] = self;
    columns.inclusive[columns.length] = inclusive;
    columns.length++;
  }
}

/** Sorting one id costs about as much as looking at so many elements. */
const sortCost = 16;

/** Columns that grow by others. */
export class FunctionTotals implements FunctionColumns {
  length = 0;
  ids = new Uint32Array(0);
  self = new Float64Array(0);
  inclusive = new Float64Array(0);

  add(other: FunctionColumns): void {
    if (this.length === 0) {
      this.ids = other.ids.slice(0, other.length);
      this.self = other.self.slice(0, other.length);
      this.inclusive = other.inclusive.slice(0, other.length);
      this.length = other.length;
      return;
    }
    const missing = this.#addKnown(other);
    if (missing > 0) this.#addMissing(other, missing);
  }

  /** Adds what has a row. Answers how many have none. */
  #addKnown(other: FunctionColumns): number {
    const { ids, self, inclusive, length } = this;
    let missing = 0;
    let at = 0;
    for (let i = 0; i < other.length; i++) {
      const id = other.ids[i] ?? 0;
      while (at < length && (ids[at] ?? 0) < id) at++;
      if (at < length && ids[at] === id) {
        self[at] = (self[at] ?? 0) + (other.self[i] ?? 0);
        inclusive[at] = (inclusive[at] ?? 0) + (other.inclusive[i] ?? 0);
      } else missing++;
    }
    return missing;
  }

  #addMissing(other: FunctionColumns, missing: number): void {
    const length = this.length + missing;
    const [ids, self, inclusive] = [new Uint32Array(length), new Float64Array(length), new Float64Array(length)];
    let at = 0;
    let from = 0;
    for (let i = 0; i < length; i++) {
      const own = at < this.length ? (this.ids[at] ?? 0) : Infinity;
      const theirs = from < other.length ? (other.ids[from] ?? 0) : Infinity;
      if (theirs < own) {
        ids[i] = theirs;
        self[i] = other.self[from] ?? 0;
        inclusive[i] = other.inclusive[from] ?? 0;
        from++;
      } else {
        // Was added by addKnown.
        if (theirs === own) from++;
        ids[i] = own;
        self[i] = this.self[at] ?? 0;
        inclusive[i] = this.inclusive[at] ?? 0;
        at++;
      }
    }
    discard(this.ids, this.self, this.inclusive);
    Object.assign(this, { ids, self, inclusive, length });
  }
}
