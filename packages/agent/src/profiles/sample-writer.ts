import type { LabelInput, ProfileBuilder } from '@everflame/profile/write';

import { readProgramLabels } from '../runtimes/program-labels.ts';
import type { Member } from '../sampling/interval-samples.ts';
import type { ResolvedLocation } from '../symbols/symbolizer.ts';
import type { ResolvedInterval } from './resolve-interval.ts';

/** Bit of a mapping that says: every function has a name, so `go tool pprof` need not look for binaries. */
const hasFunctions = 1;

/** On samples of which a part was found through a frame pointer where none is promised. */
const guessedLabel = { key: 'stack_unwinding', text: 'frame_pointer_guess' } as const;

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
  /** By rows of the program's labels and the thread, and whether a part of the stack was guessed. */
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
    const { stack, thread, labels: labelRow, count } = this.#interval.samples.sample(row);
    const observed = BigInt(count);
    const labels = this.#labelSet(thread, labelRow, this.#interval.isGuessed[stack] === 1);
    this.#builder.add(this.#stack(stack), labels, [observed, observed * this.#periodNs]);
  }

  #labelSet(threadRow: number, labelRow: number, isGuessed: boolean): number {
    const key = 2 * (labelRow * 2 ** 32 + threadRow) + (isGuessed ? 1 : 0);
    let row = this.#labelSets.get(key);
    if (row === undefined) {
      const thread = this.#interval.samples.thread(threadRow);
      const member = this.#interval.samples.members[thread.member];
      if (member === undefined) throw new Error(`thread ${threadRow} belongs to nobody`);
      const all = [...this.#labels({ member, tid: thread.tid, comm: thread.comm })];
      const threadLabel = this.#interval.samples.threadLabels.of(threadRow);
      if (threadLabel !== undefined) all.push(threadLabel);
      if (isGuessed) all.push(guessedLabel);
      const names = member.image.context?.attributeNames ?? [];
      all.push(...readProgramLabels(this.#interval.samples.labels(labelRow), all, names));
      row = this.#builder.labelSet(all);
      this.#labelSets.set(key, row);
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
