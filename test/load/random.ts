/** Seeded random numbers (mulberry32): the same on every machine, a few nanoseconds each. */
export class Random {
  #state: number;

  constructor(seed: number) {
    // Spread, so that neighbouring seeds do not give neighbouring numbers.
    this.#state = Math.imul(seed ^ 0x9e37_79b9, 0x85eb_ca6b) | 0;
  }

  /** In [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x6d2b_79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 0x1_0000_0000;
  }

  /** An integer in [0, end). */
  below(end: number): number {
    return Math.floor(this.next() * end);
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new RangeError('nothing to pick from');
    return item;
  }

  /** `length` characters of an alphabet. */
  text(alphabet: string, length: number): string {
    return Array.from({ length }, () => alphabet[this.below(alphabet.length)]).join('');
  }
}

/**
 * Draws 0…length−1 with weights 1/(rank+1)^exponent, each draw in constant time (Vose's alias method, M. D. Vose, "A linear
 * algorithm for generating random numbers with a given distribution", 1991).
 */
export class Zipf {
  readonly #chance: Float64Array;
  readonly #alias: Uint32Array;

  constructor(length: number, exponent: number) {
    const weights = Float64Array.from({ length }, (_, rank) => 1 / (rank + 1) ** exponent);
    const sum = weights.reduce((total, weight) => total + weight, 0);
    this.#chance = weights.map((weight) => (weight / sum) * length);
    this.#alias = new Uint32Array(length);
    const small: number[] = [];
    const large: number[] = [];
    for (let i = 0; i < length; i++) ((this.#chance[i] ?? 0) < 1 ? small : large).push(i);
    for (;;) {
      const less = small.pop();
      const more = large.at(-1);
      if (less === undefined || more === undefined) break;
      this.#alias[less] = more;
      this.#chance[more] = (this.#chance[more] ?? 0) + (this.#chance[less] ?? 0) - 1;
      if ((this.#chance[more] ?? 0) < 1) small.push(large.pop() ?? 0);
    }
    // What is left over is 1 but for rounding.
    for (const i of [...small, ...large]) this.#chance[i] = 1;
  }

  draw(random: Random): number {
    const at = random.below(this.#chance.length);
    return random.next() < (this.#chance[at] ?? 1) ? at : (this.#alias[at] ?? 0);
  }
}
