import type { ValueType } from '@everflame/profile';

/** What profiles of one series say about themselves in the same words each time: stored once. */
export interface Header {
  readonly sampleTypes: readonly ValueType[];
  readonly defaultSampleType: string;
  readonly periodType: ValueType;
  readonly period: bigint;
  readonly comments: readonly string[];
  readonly dropFrames: string;
  readonly keepFrames: string;
  readonly docUrl: string;
}

type Pair = readonly [type: string, unit: string];
type Stored = readonly [
  sampleTypes: readonly Pair[],
  defaultSampleType: string,
  periodType: Pair,
  period: string,
  comments: readonly string[],
  dropFrames: string,
  keepFrames: string,
  docUrl: string,
];

const pair = ({ type, unit }: ValueType): Pair => [type, unit];
const valueType = ([type, unit]: Pair): ValueType => ({ type, unit });

/** Equal headers have equal text. */
export function formatHeader(profile: Header): string {
  const stored: Stored = [
    profile.sampleTypes.map(pair),
    profile.defaultSampleType,
    pair(profile.periodType),
    String(profile.period),
    profile.comments,
    profile.dropFrames,
    profile.keepFrames,
    profile.docUrl,
  ];
  return JSON.stringify(stored);
}

export function parseHeader(text: string): Header {
  const [sampleTypes, defaultSampleType, periodType, period, comments, dropFrames, keepFrames, docUrl] = JSON.parse(
    text,
  ) as Stored;
  return {
    sampleTypes: sampleTypes.map(valueType),
    defaultSampleType,
    periodType: valueType(periodType),
    period: BigInt(period),
    comments,
    dropFrames,
    keepFrames,
    docUrl,
  };
}

/** Where the samples' own counts are in a profile, or -1: the `samples/count` value, which needs no second column. */
export function countTypeIndex(sampleTypes: readonly ValueType[]): number {
  return sampleTypes.findIndex(({ type, unit }) => type === 'samples' && unit === 'count');
}

/** How many columns of numbers the vector of such a profile has: its values, and its samples' counts where none of them is that. */
export function vectorColumns({ sampleTypes }: Pick<Header, 'sampleTypes'>): number {
  return sampleTypes.length + (countTypeIndex(sampleTypes) < 0 ? 1 : 0);
}
