/** Samples by line number. */
export type LineWeights = ReadonlyMap<number, number>;

/** Lines of a text and what they cost on one side of a comparison. */
export interface TextSide {
  /** By line: its place in `counts`. */
  readonly lines: ReadonlyMap<number, number>;
  readonly counts: Float64Array;
  /** Of the whole side, in the unit of `counts`. */
  readonly samples: number;
}

/** `alignLines`, the side with more samples scaled down to the other. */
export function alignSides(before: TextSide, after: TextSide): ReadonlyMap<number, number> {
  const samples = Math.min(before.samples, after.samples);
  const weightsOf = (side: TextSide): LineWeights => {
    const scale = side.samples > 0 ? samples / side.samples : 0;
    return new Map([...side.lines].map(([line, at]) => [line, (side.counts[at] ?? 0) * scale]));
  };
  return alignLines(weightsOf(before), weightsOf(after));
}

/** More pairs than this are not looked at: a thousand lines on either side. */
const MAX_PAIRS = 1_000_000;

/**
 * Which line of a text is which line of the text that it became, told from what the lines cost: the line on the after side, by the line on the before side. Lines keep
 * their order, and their distance (after less before) until text was inserted or removed; at the start it is 0. Of all such matchings this is
 * the one that matches most samples (`matchOf`), less `priceOfEdit` for each time that the distance changes: the affine gaps of Gotoh, "An improved algorithm for matching
 * biological sequences", 1982, on weights. Weights of both sides are of equally many samples.
 */
export function alignLines(before: LineWeights, after: LineWeights): ReadonlyMap<number, number> {
  const [rows, columns] = [sorted(before), sorted(after)];
  const matched = new Map<number, number>();
  if (rows.length * columns.length > MAX_PAIRS) {
    for (const line of rows) if (after.has(line)) matched.set(line, line);
    return matched;
  }
  const price = priceOfEdit(Math.max(total(before), total(after)));
  /** Of each pair as the last: what is matched so far, and the pair before it; -1: none. */
  const best = new Float64Array(rows.length * columns.length);
  const previous = new Int32Array(best.length);
  const latestAt = new Map<number, number>();
  /** Of the rows so far, by column: the best pair there. */
  const inColumn = new Int32Array(columns.length).fill(-1);
  let last = -1;
  for (const [i, line] of rows.entries()) {
    let earlier = -1;
    for (const [j, other] of columns.entries()) {
      const pair = i * columns.length + j;
      const distance = other - line;
      let from = -1;
      let gain = distance === 0 ? 0 : -price;
      if (earlier >= 0 && (best[earlier] ?? 0) - price > gain) {
        from = earlier;
        gain = (best[earlier] ?? 0) - price;
      }
      const same = latestAt.get(distance) ?? -1;
      if (same >= 0 && (best[same] ?? 0) >= gain) {
        from = same;
        gain = best[same] ?? 0;
      }
      best[pair] = gain + matchOf(before.get(line) ?? 0, after.get(other) ?? 0);
      previous[pair] = from;
      latestAt.set(distance, pair);
      if ((best[pair] ?? 0) > (last < 0 ? 0 : (best[last] ?? 0))) last = pair;
      // Columns before the next one, of rows before this one.
      const up = inColumn[j] ?? -1;
      if (up >= 0 && (earlier < 0 || (best[up] ?? 0) > (best[earlier] ?? 0))) earlier = up;
    }
    for (let j = 0; j < columns.length; j++) {
      const pair = i * columns.length + j;
      const up = inColumn[j] ?? -1;
      if (up < 0 || (best[pair] ?? 0) > (best[up] ?? 0)) inColumn[j] = pair;
    }
  }
  for (let pair = last; pair >= 0; pair = previous[pair] ?? -1)
    matched.set(rows[Math.floor(pair / columns.length)] ?? 0, columns[pair % columns.length] ?? 0);
  return matched;
}

/** Samples that a pair matches, on both sides: those of the lighter line, and a fifth less when it is much lighter, so that of two edits the one counts that makes like of like. */
export function matchOf(before: number, after: number): number {
  const most = Math.max(before, after);
  const least = Math.min(before, after);
  return most > 0 ? 2 * least * (0.8 + 0.2 * (least / most)) : 0;
}

/** What an edit must match, each sample counted on both sides: a tenth of all, and more than chance may (noise is of the order of the root). Below ten samples nothing is enough. */
export function priceOfEdit(samples: number): number {
  return samples / 10 + 2 * Math.sqrt(samples) + 8;
}

function sorted(weights: LineWeights): number[] {
  return [...weights.keys()].sort((a, b) => a - b);
}

function total(weights: LineWeights): number {
  let sum = 0;
  for (const weight of weights.values()) sum += weight;
  return sum;
}
