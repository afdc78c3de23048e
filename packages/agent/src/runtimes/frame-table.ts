import { WordTable } from '../words/word-table.ts';
import type { RuntimeFrame } from './frame-reader.ts';

/** What frames of one process have turned out to be, by address and note. Frames that were met before are found without garbage. */
export class FrameTable {
  readonly #rows = new WordTable();
  /** By row; undefined where it could not be read. */
  readonly #frames: (RuntimeFrame | undefined)[] = [];
  /** Generation of memory in which all of the frame was read, by row. */
  readonly #wholeIn: (number | undefined)[] = [];
  readonly #words = new Uint32Array(4);

  get size(): number {
    return this.#rows.length;
  }

  /** Was all of it read in this generation of memory? */
  isWhole(pc: number, low: number, high: number, generation: number): boolean {
    const row = this.#find(pc, low, high);
    return row !== undefined && this.#wholeIn[row] === generation;
  }

  /** What was whole in an earlier generation of memory is so in this one. */
  confirm(pc: number, low: number, high: number, generation: number): void {
    const row = this.#find(pc, low, high);
    if (row !== undefined) this.#wholeIn[row] = generation;
  }

  has(pc: number, low: number, high: number): boolean {
    return this.#find(pc, low, high) !== undefined;
  }

  get(pc: number, low: number, high: number): RuntimeFrame | undefined {
    const row = this.#find(pc, low, high);
    return row === undefined ? undefined : this.#frames[row];
  }

  set(pc: number, low: number, high: number, frame: RuntimeFrame | undefined, generation: number): void {
    const row = this.#rows.intern(this.#keyOf(pc, low, high), 4);
    this.#frames[row] = frame;
    this.#wholeIn[row] = frame?.isWhole === true ? generation : undefined;
  }

  #find(pc: number, low: number, high: number): number | undefined {
    return this.#rows.find(this.#keyOf(pc, low, high), 4);
  }

  #keyOf(pc: number, low: number, high: number): Uint32Array {
    const words = this.#words;
    words[0] = pc % 2 ** 32;
    words[1] = Math.floor(pc / 2 ** 32);
    words[2] = low;
    words[3] = high;
    return words;
  }
}
