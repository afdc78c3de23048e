import { readFileSync } from 'node:fs';

/** What a program with planted stacks wrote of itself: see test/workloads/planted/planted.h. */
export interface PlantedTruth {
  /** Chains of callers, root first; `*` stands for any frames that are not planted. */
  readonly chains: readonly (readonly string[])[];
  /** Nanoseconds of CPU in each planted function and what it calls. */
  readonly totals: ReadonlyMap<string, number>;
  /** First functions of stacks that the program made itself: nothing is below them. */
  readonly roots: ReadonlySet<string>;
  /** Nanoseconds of CPU of the whole process, where the program tells. */
  readonly processNs: number | undefined;
}

/** Throws on a line that it does not understand. Several programs may have appended to one file: their times add up. */
export function readPlantedTruth(file: string): PlantedTruth {
  const chains = new Map<string, string[]>();
  const totals = new Map<string, number>();
  const roots = new Set<string>();
  let processNs: number | undefined;
  for (const line of readFileSync(file, 'utf8').trim().split('\n')) {
    const [kind, ...words] = line.split(' ');
    const [name = '', ns = ''] = words;
    if (kind === 'chain') chains.set(line, words);
    else if (kind === 'total') totals.set(name, (totals.get(name) ?? 0) + Number(ns));
    else if (kind === 'root') roots.add(name);
    else if (kind === 'process') processNs = Number(name);
    else throw new Error(`${file}: ${line}`);
  }
  if (chains.size === 0 || totals.size === 0) throw new Error(`${file} has no chain or no total`);
  return { chains: [...chains.values()], totals, roots, processNs };
}
