/** A set of row numbers, one bit each: what a question has touched, so that it goes through that alone and not through everything that is known. */
export class Marks {
  words = new Uint32Array(32);

  /** Room for rows below `length`. */
  reserve(length: number): void {
    const wanted = Math.ceil(length / 32);
    if (wanted <= this.words.length) return;
    const larger = new Uint32Array(Math.max(wanted, this.words.length * 2));
    larger.set(this.words);
    this.words = larger;
  }

  /** Of a row that there is room for. */
  add(row: number): void {
    const word = row >>> 5;
    this.words[word] = (this.words[word] ?? 0) | (1 << (row & 31));
  }

  has(row: number): boolean {
    return (((this.words[row >>> 5] ?? 0) >>> (row & 31)) & 1) === 1;
  }

  /** Adds the caller of each row, `pairs[row * 2]`, and theirs. A caller has a smaller number; row 0 is nobody's, and is not added. */
  addCallers(pairs: Uint32Array): void {
    const { words } = this;
    for (let word = words.length - 1; word >= 0; word--) {
      for (let rest = words[word] ?? 0; rest !== 0;) {
        const bit = 31 - Math.clz32(rest);
        rest ^= 1 << bit;
        const up = pairs[(word * 32 + bit) * 2] ?? 0;
        if (up === 0) continue;
        const mark = 1 << (up & 31);
        words[up >>> 5] = (words[up >>> 5] ?? 0) | mark;
        if (up >>> 5 === word) rest |= mark;
      }
    }
  }

  /** Ascending. */
  rows(): Uint32Array {
    const { words } = this;
    let count = 0;
    for (let word = 0; word < words.length; word++) count += bitCount(words[word] ?? 0);
    const rows = new Uint32Array(count);
    let at = 0;
    for (let word = 0; word < words.length; word++) {
      for (let bits = words[word] ?? 0; bits !== 0; bits &= bits - 1)
        rows[at++] = word * 32 + 31 - Math.clz32(bits & -bits);
    }
    return rows;
  }

  clear(): void {
    this.words.fill(0);
  }
}

/** By Hacker's Delight, figure 5-2. */
function bitCount(word: number): number {
  let bits = word - ((word >>> 1) & 0x5555_5555);
  bits = (bits & 0x3333_3333) + ((bits >>> 2) & 0x3333_3333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
}
