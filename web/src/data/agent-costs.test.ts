import type { http } from '@everflame/protocols';
import { expect, test } from 'vitest';
import { agentCosts } from './agent-costs.ts';

function answer(
  series: readonly (readonly [host: string, times: number[], values: string[]])[],
): http.QueryRangeAnswer {
  return {
    profileType: 'process_cpu:cpu:nanoseconds:cpu:nanoseconds',
    unit: 'nanoseconds',
    from: 0,
    until: 100_000,
    stepMs: 10_000,
    series: series.map(([host, times, values]) => ({
      labels: { host_name: host },
      times,
      values,
      samples: times.map(() => 1),
    })),
  };
}

test('cost counts from the start of the agent, age from the end of the newest step, hosts apart', () => {
  const agents = [
    { hostName: 'a', startedAt: -5000 },
    { hostName: 'b', startedAt: 60_000 },
    { hostName: 'c', startedAt: 0 },
  ];
  const own = answer([
    ['a', [0, 10_000], ['1000000000', '1000000000']],
    ['b', [70_000], ['400000000']],
  ]);
  const all = answer([
    ['a', [0, 50_000], ['1', '1']],
    ['b', [90_000], ['1']],
  ]);
  expect([...agentCosts(agents, own, all)]).toEqual([
    ['a', { cores: 0.02, newestMs: 60_000 }],
    ['b', { cores: 0.01, newestMs: 100_000 }],
    ['c', { cores: 0, newestMs: undefined }],
  ]);
});
