import type { LabelInput, ProfileBuilder } from '@everflame/profile';

import type { Member } from '../sampling/interval-samples.ts';
import type { ResolvedLocation } from '../symbols/symbolizer.ts';
import type { ResolvedInterval } from './resolve-interval.ts';

/** Bit of a mapping that says: every function has a name, so `go tool pprof` need not look for binaries. */
const hasFunctions = 1;

/** Which labels a sample carries, from its thread. */
export type SampleLabels = (thread: {
  readonly member: Member;
  readonly tid: number;
  readonly comm: string;
}) => readonly LabelInput[];

/** Writes samples of one interval into a builder; what was written once is remembered by its row. */
export class SampleWriter {
  readonly #builder: ProfileBuilder;
  readonly #interval: ResolvedInterval;
  readonly #periodNs: bigint;
  readonly #labels: SampleLabels;
  /** Row in the builder + 1; 0 where not written yet. */
  readonly #locations: Uint32Array;
  readonly #stacks: Uint32Array;
  readonly #labelSets = new Map<number, number>();

  constructor(builder: ProfileBuilder, interval: ResolvedInterval, periodNs: bigint, labels: SampleLabels) {
    this.#builder = builder;
    this.#interval = interval;
    this.#periodNs = periodNs;
    this.#labels = labels;
    this.#locations = new Uint32Array(interval.locations.length);
    this.#stacks = new Uint32Array(interval.samples.stackCount);
  }

  /** Writes row `row` of the interval's samples. */
  write(row: number): void {
    const { stack, thread, count } = this.#interval.samples.sample(row);
    const observed = BigInt(count);
    this.#builder.add(this.#stack(stack), this.#labelSet(thread), [observed, observed * this.#periodNs]);
  }

  #labelSet(threadRow: number): number {
    let row = this.#labelSets.get(threadRow);
    if (row === undefined) {
      const thread = this.#interval.samples.thread(threadRow);
      const member = this.#interval.samples.members[thread.member];
      if (member === undefined) throw new Error(`thread ${threadRow} belongs to nobody`);
      row = this.#builder.labelSet(this.#labels({ member, tid: thread.tid, comm: thread.comm }));
      this.#labelSets.set(threadRow, row);
    }
    return row;
  }

  #stack(stackRow: number): number {
    const known = this.#stacks[stackRow] ?? 0;
    if (known !== 0) return known - 1;
    const { frameOffset, frames } = this.#interval;
    let row = 0;
    // Leaf first in the interval, root first in the builder.
    for (let at = (frameOffset[stackRow + 1] ?? 0) - 1; at >= (frameOffset[stackRow] ?? 0); at--) {
      row = this.#builder.stack(row, this.#location(frames[at] ?? 0));
    }
    this.#stacks[stackRow] = row + 1;
    return row;
  }

  #location(frameRow: number): number {
    const known = this.#locations[frameRow] ?? 0;
    if (known !== 0) return known - 1;
    const location = this.#interval.locations[frameRow];
    if (location === undefined) throw new Error(`frame ${frameRow} was not resolved`);
    const row = writeLocation(this.#builder, location);
    this.#locations[frameRow] = row + 1;
    return row;
  }
}

function writeLocation(builder: ProfileBuilder, location: ResolvedLocation): number {
  return builder.location({
    mapping: builder.mapping({ ...location.mapping, flags: hasFunctions }),
    address: location.address,
    lines: location.lines.map(({ name, systemName, file, line, startLine }) => ({
      function: builder.function({ name, systemName, file, startLine }),
      line,
    })),
  });
}
