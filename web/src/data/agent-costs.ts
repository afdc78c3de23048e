import type { http } from '@everflame/protocols';

/** What collecting costs on one host, and how old what came of it is. */
export interface AgentCost {
  /** CPU of the agent itself, on average since the start of the range or its own. */
  readonly cores: number;
  /** End of the newest step with samples of the host, Unix ms; undefined where there are none. */
  readonly newestMs: number | undefined;
}

/** By host. `own`: CPU of the agents by `host_name`; `all`: of everything. */
export function agentCosts(
  agents: readonly Pick<http.StatusAnswer['agents'][number], 'hostName' | 'startedAt'>[],
  own: http.QueryRangeAnswer,
  all: http.QueryRangeAnswer,
): ReadonlyMap<string, AgentCost> {
  return new Map(
    agents.map(({ hostName, startedAt }) => {
      const ns = seriesOf(own, hostName).reduce(
        (sum, { values }) => values.reduce((s, one) => s + Number(one), sum),
        0,
      );
      const watchedMs = Math.max(own.stepMs, own.until - Math.max(own.from, startedAt));
      const newest = Math.max(...seriesOf(all, hostName).map(({ times }) => times.at(-1) ?? -Infinity));
      const newestMs = Number.isFinite(newest) ? newest + all.stepMs : undefined;
      return [hostName, { cores: ns / (watchedMs * 1e6), newestMs }];
    }),
  );
}

function seriesOf({ series }: http.QueryRangeAnswer, hostName: string): http.QueryRangeAnswer['series'] {
  return series.filter(({ labels }) => labels['host_name'] === hostName);
}
