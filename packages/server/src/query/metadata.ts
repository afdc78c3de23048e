import { formatProfileType } from '@everflame/profile';
import type { http } from '@everflame/protocols';
import type { StorageReader } from '../storage/storage.ts';
import { type Parameters, readSelector, readTimeRange, required } from './parameters.ts';
import { typesOf } from './profile-choice.ts';

export async function answerProfileTypes(
  storage: StorageReader,
  parameters: Parameters,
  nowMs: number,
): Promise<http.ProfileTypesAnswer> {
  const facts = await storage.series(readTimeRange(parameters, nowMs), readSelector(parameters).matchers);
  const types = new Map(facts.flatMap(typesOf).map(({ type }) => [type.id, type]));
  return { profileTypes: [...types.values()].sort((a, b) => (a.id < b.id ? -1 : 1)) };
}

export async function answerLabels(
  storage: StorageReader,
  parameters: Parameters,
  nowMs: number,
): Promise<http.LabelNamesAnswer> {
  const range = readTimeRange(parameters, nowMs);
  const facts = await storage.series(range, []);
  const names = new Set(facts.flatMap(({ labels }) => Object.keys(labels)));
  return { names: [...names].sort(), sampleNames: [...(await storage.sampleLabelNames(range))] };
}

/** Values of series and samples alike. */
export async function answerLabelValues(
  storage: StorageReader,
  parameters: Parameters,
  nowMs: number,
): Promise<http.LabelValuesAnswer> {
  const name = required(parameters, 'name', 'a label');
  const range = readTimeRange(parameters, nowMs);
  const facts = await storage.series(range, []);
  const values = new Set(await storage.sampleLabelValues(range, name));
  for (const { labels } of facts) {
    const value = Object.hasOwn(labels, name) ? labels[name] : undefined;
    if (value !== undefined) values.add(value);
  }
  return { values: [...values].sort() };
}

export async function answerSeries(
  storage: StorageReader,
  parameters: Parameters,
  nowMs: number,
): Promise<http.SeriesAnswer> {
  const { matchers, profileType: wanted } = readSelector(parameters);
  const facts = await storage.series(readTimeRange(parameters, nowMs), matchers);
  const series = facts.flatMap((fact) =>
    typesOf(fact).map(({ type }) => ({ profileType: formatProfileType(type), name: type.name, labels: fact.labels })),
  );
  return {
    series: series
      .filter(({ profileType, name }) => wanted === undefined || wanted === profileType || wanted === name)
      .map(({ profileType, labels }) => ({ profileType, labels: { ...labels } })),
  };
}
