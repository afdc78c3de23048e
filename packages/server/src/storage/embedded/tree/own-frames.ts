import { type FrameKind, REMAINDER, type Tree } from '@everflame/profile';
import type { FrameOrigins } from './tree-index.ts';

/** The frames of one answer, numbered as they come. */
export class OwnFrames {
  readonly #indexNames: readonly string[];
  readonly #origins: readonly FrameOrigins[];
  /** By frame of the index: row + 1. */
  readonly #rows: Uint32Array;
  readonly #used: number[] = [0];
  #remainder = 0;

  constructor(names: readonly string[], origins: readonly FrameOrigins[]) {
    this.#indexNames = names;
    this.#origins = origins;
    this.#rows = new Uint32Array(names.length);
    this.#rows[0] = 1;
  }

  row(frame: number): number {
    const known = this.#rows[frame] ?? 0;
    if (known > 0) return known - 1;
    const row = this.#used.push(frame) - 1;
    this.#rows[frame] = row + 1;
    return row;
  }

  remainder(): number {
    if (this.#remainder === 0) this.#remainder = this.#used.push(-1) - 1;
    return this.#remainder;
  }

  columns(): Tree['frames'] {
    const name = this.#used.map((frame) => (frame < 0 ? REMAINDER : (this.#indexNames[frame] ?? '')));
    const file = name.map(() => '');
    const binary = name.map(() => '');
    const kind = name.map((): FrameKind | '' => '');
    for (const part of this.#origins) {
      for (let i = 0; i < part.frames.length; i++) {
        const frame = part.frames[i] ?? 0;
        const row = (this.#rows[frame] ?? 0) - 1;
        if (row < 0 || part.except?.[frame] === 1) continue;
        if (file[row] === '') file[row] = part.files[i] ?? '';
        if (binary[row] === '') binary[row] = part.binaries[i] ?? '';
        if (kind[row] === '' || kind[row] === 'inlined') kind[row] = part.kinds[i] ?? '';
      }
    }
    kind[0] = 'root';
    name[0] = 'root';
    if (this.#remainder > 0) kind[this.#remainder] = 'group';
    return { name, file, binary, kind: kind.map((one) => (one === '' ? 'native' : one)) };
  }
}
