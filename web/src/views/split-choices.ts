import type { http } from '@everflame/protocols';

const usual: readonly (readonly [string, string])[] = [
  ['process_executable_name', 'process'],
  ['process_pid', 'process id'],
  ['thread_name', 'thread'],
  ['service_name', 'service'],
  ['service_version', 'version'],
  ['host_name', 'host'],
];

/** Labels that a picture can be split by: the usual ones in words first, then whatever else is stored. */
export function splitChoices(
  labels: http.LabelNamesAnswer | null,
  current: string,
): readonly (readonly [string, string])[] {
  const stored = labels === null ? [] : [...labels.names, ...labels.sampleNames];
  const known = new Set(usual.map(([name]) => name));
  const offered = usual.filter(([name]) => labels === null || stored.includes(name) || name === current);
  const others = [...new Set([...stored, ...(current === '' ? [] : [current])])]
    .filter((name) => !known.has(name) && !name.startsWith('__'))
    .toSorted()
    .map((name) => [name, name] as const);
  return [['', 'nothing'], ...offered, ...others];
}
