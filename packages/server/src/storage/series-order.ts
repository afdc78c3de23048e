import { labelsKey } from '@everflame/profile';
import type { SeriesFact } from './storage.ts';

/** By name, then labels, then sample types: the order in which every engine lists series. */
export function sortSeries(facts: readonly SeriesFact[]): SeriesFact[] {
  const keyed = facts.map((fact) => ({
    fact,
    key: JSON.stringify([fact.name, labelsKey(fact.labels), fact.sampleTypes, fact.periodType, fact.defaultSampleType]),
  }));
  return keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)).map(({ fact }) => fact);
}
