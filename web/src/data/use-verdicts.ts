import type { http } from '@everflame/protocols';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { cpuType } from '../state/page-state.ts';
import type { Answer } from './api.ts';
import { loadCompare } from './queries.ts';
import { versionLives } from './version-lives.ts';

/** The newest version of a service against the one before. */
export interface NewestChange {
  readonly service: string;
  readonly before: string;
  readonly after: string;
  /** First sample of the newer one, Unix ms. */
  readonly at: number;
  /** Null while it is asked. */
  readonly answer: Answer<http.CompareAnswer> | null;
}

const dayMs = 86_400_000;
/** Each asks the server for counts of all instances of two versions. */
const mostServices = 12;

/** Judged one after the other, the newest deployments first, so that the rest of the page does not wait. Asked once for each pair. */
export function useVerdicts(deployments: http.DeploymentsAnswer | null): readonly NewestChange[] {
  const pairs = useMemo(() => (deployments === null ? [] : newestPairs(deployments)), [deployments]);
  const key = JSON.stringify(pairs.map(({ service, before, after }) => [service, before, after]));
  const [answers, setAnswers] = useState<ReadonlyMap<string, Answer<http.CompareAnswer>>>(new Map());
  useEffect(() => {
    const abort = new AbortController();
    void askAll(pairs, abort.signal, (name, answer) => setAnswers((known) => new Map([...known, [name, answer]])));
    return () => abort.abort();
  }, [key]);
  return pairs.map(({ service, before, after, at }) => ({
    service,
    before,
    after,
    at,
    answer: answers.get(keyOf({ service, before, after })) ?? null,
  }));
}

type Pair = Omit<NewestChange, 'answer'> & { readonly request: Parameters<typeof loadCompare>[0] };

function keyOf({ service, before, after }: Pick<Pair, 'service' | 'before' | 'after'>): string {
  return `${service}\0${before}\0${after}`;
}

async function askAll(
  pairs: readonly Pair[],
  signal: AbortSignal,
  tell: (name: string, answer: Answer<http.CompareAnswer>) => void,
): Promise<void> {
  for (const pair of pairs) {
    try {
      const answer = await loadCompare(pair.request, signal);
      tell(keyOf(pair), answer);
    } catch (error) {
      if (signal.aborted) return;
      throw error;
    }
  }
}

function newestPairs(answer: http.DeploymentsAnswer): Pair[] {
  const services = [...new Set(answer.deployments.map(({ service }) => service))];
  return services
    .flatMap((service): Pair[] => {
      const [after, before] = versionLives(answer, service);
      if (before === undefined || after === undefined) return [];
      const side = ({ version, firstSeen, lastSeen }: typeof after) => ({
        name: version,
        query: '',
        span: { fromMs: Math.max(Math.floor(firstSeen), lastSeen - dayMs), untilMs: Math.floor(lastSeen) + 1000 },
      });
      const request = {
        type: cpuType,
        service,
        isOfVersions: true,
        before: side(before),
        after: side(after),
        normalisation: 'share' as const,
      };
      return [{ service, before: before.version, after: after.version, at: after.firstSeen, request }];
    })
    .toSorted((a, b) => b.at - a.at)
    .slice(0, mostServices);
}
