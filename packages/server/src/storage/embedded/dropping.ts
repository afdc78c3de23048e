import type { PartSeries, ProfileRow } from './part.ts';
import type { Deletion, Expiry } from './retention.ts';
import { decodeTotals } from './vector.ts';

/** Leaves out what has expired, and counts it. */
export class Dropping {
  readonly #expiry: Expiry;
  readonly #nowMs: number;
  readonly #deletion: Deletion;

  constructor(expiry: Expiry, nowMs: number, deletion: Deletion) {
    this.#expiry = expiry;
    this.#nowMs = nowMs;
    this.#deletion = deletion;
  }

  /** The numbers of the rows that stay, of those that are wanted. */
  rest(series: PartSeries, rows: readonly ProfileRow[], isWanted: (timeMs: number) => boolean): number[] {
    const rule = this.#expiry.ruleOf(series);
    const cutoffMs = this.#expiry.cutoffMs(rule, this.#nowMs);
    const numbers: number[] = [];
    for (const [number, { timeMs, durationNanos, header, totals }] of rows.entries()) {
      if (!isWanted(timeMs)) continue;
      if (timeMs >= cutoffMs) {
        numbers.push(number);
        continue;
      }
      const { samples } = decodeTotals(totals, header.sampleTypes.length);
      const endMs = timeMs + Math.max(0, Number(durationNanos / 1_000_000n));
      this.#deletion.add(this.#expiry.causeOf(rule), 1, samples, endMs);
    }
    return numbers;
  }
}
