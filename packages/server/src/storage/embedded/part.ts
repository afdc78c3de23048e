import type { Labels } from '@everflame/profile';
import type { CountsSpan } from './counts/counts-spans.ts';
import type { TimeRange } from '../storage.ts';
import type { Dictionary } from './dictionary.ts';
import type { Header } from './header.ts';
import type { LeafSums, SumColumns } from './tree/leaf-sums.ts';
import type { Vector } from './vector-scratch.ts';

/** One profile without its samples. Numbers of label sets and mappings are those of its part's dictionary. */
export interface ProfileRow {
  /** Ascending in the order of arrival. */
  readonly id: number;
  readonly timeMs: number;
  readonly restNanos: number;
  readonly durationNanos: bigint;
  readonly mainMapping: number;
  readonly header: Header;
  readonly labelSets: Uint32Array;
  /** As `decodeTotals` reads them. */
  readonly totals: Uint8Array;
}

/** The exact sum of the profiles `first` to `first + count` of a series. */
export interface RollupNode {
  readonly first: number;
  readonly count: number;
}

export interface PartSeries {
  readonly name: string;
  readonly labels: Labels;
  /** The shape of its profiles, each with the times of its first and last one, Unix ms. */
  readonly headers: readonly { readonly header: Header; readonly firstMs: number; readonly lastMs: number }[];
  /** Time of the first and of the last profile; end of the one that ends last. */
  readonly firstMs: number;
  readonly lastMs: number;
  readonly endMs: number;
  readonly profiles: number;
  readonly samples: number;
  /** In order of time, then of arrival. */
  rows(): readonly ProfileRow[];
  /** Whether a profile with this header, which is one of `headers`, lies in the range. */
  hasProfile(header: Header, range: TimeRange): boolean;
  /** Every label set of its samples in the range. */
  labelSetsIn(range: TimeRange): readonly number[];
  read(row: number, into: Vector): void;
  nodes(): readonly RollupNode[];
  readNode(node: RollupNode, into: Vector): void;
  /** Samples by function that the part keeps, by day; null when it keeps none. */
  counts(): readonly CountsSpan[] | null;
  /**
   * Adds the profiles in the range to `sums`, whatever the labels of their samples. `columnsOf` says which columns of a
   * profile are wanted; null: the profile is not. Answers how many profiles were added.
   */
  sum(range: TimeRange, columnsOf: (header: Header) => SumColumns | null, sums: LeafSums): number;
}

/** Profiles with a dictionary of their own: an epoch of the data base, or the profiles of one service in a block. */
export interface Part {
  readonly dictionary: Dictionary;
  /** The stack of each number in a vector; null where vectors name stacks themselves. */
  readonly leaves: Uint32Array | null;
  readonly series: readonly PartSeries[];
  /** Gives the dictionary back until it is asked for again. */
  release?(): void;
}
