import type { ValueType } from '@everflame/profile';
import { compareRows, type RowPlace } from './epoch-part.ts';
import type { Header } from './header.ts';
import type { Part, ProfileRow } from './part.ts';

/**
 * What the header of a merged profile takes from those of its profiles, as `combineHeaders` of google/pprof's merge: earliest start, durations summed, longest
 * period, the first of each text. Of a month of profiles there are hundreds of thousands: none of them is kept.
 */
export class MergedHeader {
  profiles = 0;
  #start: RowPlace | null = null;
  #durationNanos = 0n;
  /** The first profile with each header, and with each main mapping. */
  readonly #headers = new Map<Header, RowPlace>();
  readonly #mainMappings = new Map<Part, Map<number, RowPlace>>();

  add(row: ProfileRow, part: Part): void {
    const { timeMs, restNanos, id, header, mainMapping } = row;
    const place = { timeMs, restNanos, id };
    this.profiles++;
    this.#durationNanos += row.durationNanos;
    const hasTime = timeMs !== 0 || restNanos !== 0;
    if (hasTime && (this.#start === null || compareRows(place, this.#start) < 0)) this.#start = place;
    keepFirst(this.#headers, header, place);
    if (mainMapping === 0) return;
    let own = this.#mainMappings.get(part);
    if (own === undefined) this.#mainMappings.set(part, (own = new Map()));
    keepFirst(own, mainMapping, place);
  }

  /** Main mappings of the profiles, in their order. */
  mainMappings(): { readonly part: Part; readonly mapping: number }[] {
    return [...this.#mainMappings]
      .flatMap(([part, own]) => [...own].map(([mapping, place]) => ({ part, mapping, place })))
      .sort((a, b) => compareRows(a.place, b.place));
  }

  /** For profiles with these types of values. */
  combined(types: readonly ValueType[]) {
    const headers = [...this.#headers].sort(([, a], [, b]) => compareRows(a, b)).map(([header]) => header);
    const [first] = headers;
    const defaultSampleType = headers.find((one) => one.defaultSampleType !== '')?.defaultSampleType ?? '';
    return {
      timeNanos: this.#start === null ? 0n : BigInt(this.#start.timeMs) * 1_000_000n + BigInt(this.#start.restNanos),
      durationNanos: BigInt.asIntN(64, this.#durationNanos),
      period: headers.reduce((longest, { period }) => (longest === 0n || period > longest ? period : longest), 0n),
      comments: [...new Set(headers.flatMap(({ comments }) => comments))],
      defaultSampleType: types.some(({ type }) => type === defaultSampleType) ? defaultSampleType : '',
      dropFrames: first?.dropFrames ?? '',
      keepFrames: first?.keepFrames ?? '',
      docUrl: headers.find(({ docUrl }) => docUrl !== '')?.docUrl ?? '',
    };
  }
}

function keepFirst<K>(places: Map<K, RowPlace>, key: K, place: RowPlace): void {
  const known = places.get(key);
  if (known === undefined || compareRows(place, known) < 0) places.set(key, place);
}
