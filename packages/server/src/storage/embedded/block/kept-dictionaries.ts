/** Something that was unpacked and can be unpacked again. */
interface Unpacked {
  release(): void;
}

/**
 * Dictionaries of blocks that one reader has unpacked: ten times as large as in the file. The latest ones stay, up to so many bytes together; whoever works with
 * an earlier one still has it.
 */
export class KeptDictionaries {
  readonly #maxBytes: number;
  /** In order of unpacking. */
  readonly #bytes = new Map<Unpacked, number>();
  #sum = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Takes in one that was unpacked now. */
  add(unpacked: Unpacked, bytes: number): void {
    this.remove(unpacked);
    this.#bytes.set(unpacked, bytes);
    this.#sum += bytes;
    for (const first of this.#bytes.keys()) {
      if (this.#sum <= this.#maxBytes || first === unpacked) break;
      first.release();
    }
  }

  remove(unpacked: Unpacked): void {
    this.#sum -= this.#bytes.get(unpacked) ?? 0;
    this.#bytes.delete(unpacked);
  }
}
