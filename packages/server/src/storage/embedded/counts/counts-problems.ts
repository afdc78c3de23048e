import { countTypeIndex } from '../header.ts';
import type { Part, PartSeries, ProfileRow } from '../part.ts';
import { decodeTotals } from '../vector.ts';
import { Vector } from '../vector-scratch.ts';
import { CountsRowReader } from './counts-row.ts';
import type { CountsSpan } from './counts-spans.ts';
import { FunctionSums, FunctionTotals } from './function-sums.ts';
import { sampleCount } from './sample-count.ts';
import { StackFunctions } from './stack-functions.ts';
import { StackSums } from './stack-sums.ts';
import { factorWith, joinedFactor } from './value-per-sample.ts';

/** What of the kept counts of a part is not what its profiles come to, one line each. Reads each profile once. */
export function countsProblems(part: Part): string[] {
  if (part.series.every((series) => series.counts() === null)) return [];
  const problems: string[] = [];
  const recount = new Recount(part);
  for (const series of part.series) {
    const days = series.counts();
    if (days === null) continue;
    const name = JSON.stringify(series.labels);
    let profiles = 0;
    recount.begin(series);
    for (const day of days) profiles += recount.check(day, (problem) => problems.push(`${name}: ${problem}`)).profiles;
    if (profiles !== series.profiles)
      problems.push(`${name}: its counts are of ${profiles} profiles, not ${series.profiles}`);
  }
  return problems;
}

interface Sum {
  profiles: number;
  durationNanos: bigint;
  samples: number;
  values: readonly bigint[];
  factors: readonly number[];
  readonly functions: FunctionTotals;
}

class Recount {
  readonly #leaves: Uint32Array | null;
  readonly #stacks: StackSums;
  readonly #sums: FunctionSums;
  readonly #vector = new Vector();
  readonly #kept = new CountsRowReader();
  #series: PartSeries | null = null;
  #rows: readonly ProfileRow[] = [];
  /** The next row that no span has had. */
  #next = 0;

  constructor({ dictionary, leaves }: Part) {
    this.#leaves = leaves;
    this.#stacks = new StackSums(new StackFunctions(dictionary));
    this.#sums = new FunctionSums(dictionary.functions.length);
  }

  begin(series: PartSeries): void {
    this.#series = series;
    this.#rows = series.rows();
    this.#next = 0;
  }

  /** What the span's profiles come to. Says where the span differs. */
  check(span: CountsSpan, say: (problem: string) => void): Sum {
    const { firstMs, lastMs, read, parts } = span;
    const sum: Sum = {
      profiles: 0,
      durationNanos: 0n,
      samples: 0,
      values: [],
      factors: [],
      functions: new FunctionTotals(),
    };
    if (parts === null) this.#scan(lastMs, sum);
    for (const part of parts?.() ?? []) {
      if (part.firstMs < firstMs || part.lastMs > lastMs)
        say(`counts from ${part.firstMs} on are not within their span`);
      const own = this.check(part, say);
      addFacts(sum, own);
      sum.functions.add(own.functions);
    }
    if (read === null) return sum;
    const kept = this.#kept;
    read(kept);
    const facts = ({ profiles, durationNanos, samples, values, factors }: Omit<Sum, 'functions'>) =>
      `${profiles} profiles of ${durationNanos} ns, ${samples} samples, values ${values.join(', ')}, ${factors.join(', ')} a sample`;
    const where = `counts from ${firstMs} to ${lastMs}`;
    if (facts(kept) !== facts(sum)) say(`${where} say ${facts(kept)}, not ${facts(sum)}`);
    for (let i = 0; i < kept.length; i++) {
      this.#sums.addInclusive(kept.ids[i] ?? 0, kept.inclusive[i] ?? 0);
      this.#sums.addSelf(kept.ids[i] ?? 0, kept.self[i] ?? 0);
    }
    const { length, ids, self, inclusive } = this.#sums.take();
    const isSame = (i: number) =>
      ids[i] === sum.functions.ids[i] &&
      self[i] === sum.functions.self[i] &&
      inclusive[i] === sum.functions.inclusive[i];
    if (length !== sum.functions.length || !sum.functions.ids.every((_, i) => isSame(i)))
      say(`${where} differ from their profiles in a function`);
    return sum;
  }

  /** Adds the profiles up to `lastMs`. */
  #scan(lastMs: number, sum: Sum): void {
    for (let row = this.#rows[this.#next]; row !== undefined && row.timeMs <= lastMs; row = this.#rows[++this.#next]) {
      const vector = this.#vector;
      this.#series?.read(this.#next, vector);
      const { sampleTypes } = row.header;
      const { values } = decodeTotals(row.totals, sampleTypes.length);
      let samples = 0;
      const factors = values.map(() => Number.NaN);
      for (let i = 0; i < vector.rows; i++) {
        const count = sampleCount(vector, sampleTypes.length, countTypeIndex(sampleTypes), i);
        const leaf = vector.stacks[i] ?? 0;
        samples += count;
        for (const [t, factor] of factors.entries()) factors[t] = factorWith(factor, count, vector.number(t, i));
        this.#stacks.add(this.#leaves === null ? leaf : (this.#leaves[leaf] ?? 0), count);
      }
      addFacts(sum, { profiles: 1, durationNanos: row.durationNanos, samples, values, factors });
    }
    this.#stacks.moveTo(this.#sums);
    sum.functions.add(this.#sums.take());
  }
}

function addFacts(sum: Sum, own: Omit<Sum, 'functions'>): void {
  const { profiles, durationNanos, samples, values, factors } = own;
  sum.profiles += profiles;
  sum.durationNanos += durationNanos;
  sum.samples += samples;
  sum.factors =
    sum.factors.length === 0 ? factors : sum.factors.map((one, t) => joinedFactor(one, factors[t] ?? Number.NaN));
  sum.values = sum.values.length === 0 ? values : sum.values.map((value, t) => value + (values[t] ?? 0n));
}
