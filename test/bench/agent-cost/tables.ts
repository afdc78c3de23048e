import { availableParallelism } from 'node:os';

import type { LoadName } from './loads.ts';
import { median } from './median.ts';
import type { Cost } from './profilers.ts';
import type { measureSlowdown } from './slowdown.ts';

const columns: readonly { readonly title: string; readonly of: (cost: Cost) => number; readonly digits: number }[] = [
  { title: 'CPU, % of a core', of: (cost) => cost.cpuPercent, digits: 2 },
  { title: 'RSS MB', of: (cost) => cost.rssMb, digits: 0 },
  { title: 'peak MB', of: (cost) => cost.peakMb, digits: 0 },
  { title: 'maps MB', of: (cost) => cost.mapsMb, digits: 1 },
  { title: 'BPF µs a sample', of: (cost) => (cost.bpfNsPerSample ?? Number.NaN) / 1000, digits: 1 },
  { title: 'BPF, % of a core', of: (cost) => cost.bpfPercent, digits: 2 },
  { title: 'depth', of: (cost) => cost.meanDepth, digits: 0 },
  { title: 'bytes a sample', of: (cost) => cost.bytesPerSample, digits: 1 },
  { title: 'delivered', of: (cost) => cost.delivered, digits: 4 },
];

const middle = (costs: readonly Cost[], of: (cost: Cost) => number): number => median(costs.map(of));
const show = (value: number, digits: number): string => (Number.isNaN(value) ? '–' : value.toFixed(digits));

function printTable(rows: readonly (readonly string[])[]): void {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  for (const row of rows)
    console.log(
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    );
  console.log();
}

export function printLoad(name: LoadName, costs: Readonly<Record<string, readonly Cost[]>>): void {
  console.log(`## ${name}`);
  const rows = Object.entries(costs)
    .filter(([, runs]) => runs.length > 0)
    .map(([profiler, runs]) => [profiler, ...columns.map(({ of, digits }) => show(middle(runs, of), digits))]);
  printTable([['', ...columns.map(({ title }) => title)], ...rows]);
}

/** Ours beside the targets and what the OTel profiler of August 2026 cost on such a machine. */
export function printTargets(
  ours: ReadonlyMap<LoadName, readonly Cost[]>,
  slowdown: Awaited<ReturnType<typeof measureSlowdown>>,
): void {
  const at = (name: LoadName, of: (cost: Cost) => number): number => middle(ours.get(name) ?? [], of);
  const bpfUs = (cost: Cost): number => (cost.bpfNsPerSample ?? Number.NaN) / 1000;
  const all = [...ours.values()].flat();
  // The first run of all found nothing of an earlier one.
  const [cold, ...warm] = all;
  const most = (name: LoadName, of: (cost: Cost) => number): number => Math.max(...(ours.get(name) ?? []).map(of));
  const rows: {
    what: string;
    value: number;
    digits: number;
    isGood: (value: number) => boolean;
    target: string;
    otel: string;
  }[] = [
    {
      what: 'BPF µs a sample, mix',
      value: at('mix', bpfUs),
      digits: 1,
      isGood: (v) => v <= 23,
      target: '≤ 23',
      otel: '46.1',
    },
    {
      what: 'BPF µs a sample, C',
      value: at('c', bpfUs),
      digits: 1,
      isGood: (v) => v <= 13,
      target: '≤ 13',
      otel: '26.6',
    },
    {
      what: 'BPF µs a sample, Node.js',
      value: at('node', bpfUs),
      digits: 1,
      isGood: (v) => v <= 36,
      target: '≤ 36',
      otel: '72',
    },
    {
      what: 'BPF µs a sample, Python',
      value: at('python', bpfUs),
      digits: 1,
      isGood: (v) => v <= 21,
      target: '≤ 21',
      otel: '41',
    },
    {
      what: 'CPU % of the machine, BPF included, 100 mixed processes',
      value: at('hundred', (c) => (c.cpuPercent + c.bpfPercent) / availableParallelism()),
      digits: 2,
      isGood: (v) => v < 1,
      target: '< 1',
      otel: '–',
    },
    {
      what: 'RSS MB, 100 mixed processes',
      value: at('hundred', (c) => c.rssMb),
      digits: 0,
      isGood: (v) => v < 110,
      target: '< 110',
      otel: '–',
    },
    {
      what: 'CPU %, mix',
      value: at('mix', (c) => c.cpuPercent),
      digits: 2,
      isGood: (v) => v <= 0.8,
      target: '≤ 0.8',
      otel: '0.85',
    },
    {
      what: 'CPU %, idle',
      value: at('idle', (c) => c.cpuPercent),
      digits: 2,
      isGood: (v) => v <= 0.3,
      target: '≤ 0.3',
      otel: '0.70',
    },
    {
      what: 'CPU %, storm',
      value: at('storm', (c) => c.cpuPercent),
      digits: 2,
      isGood: (v) => v <= 3,
      target: '≤ 3',
      otel: '9.60',
    },
    {
      what: 'peak RSS MB, mix',
      value: most('mix', (c) => c.peakMb),
      digits: 0,
      isGood: (v) => v <= 110,
      target: '≤ 110',
      otel: '93',
    },
    {
      what: 'kernel maps MB, mix',
      value: most('mix', (c) => c.mapsMb),
      digits: 1,
      isGood: (v) => v <= 40,
      target: '≤ 40',
      otel: '47.2',
    },
    {
      what: 'first sample s, cold',
      value: cold?.firstSampleS ?? Number.NaN,
      digits: 2,
      isGood: (v) => v <= 1.5,
      target: '≤ 1.5',
      otel: '2.5',
    },
    {
      what: 'CPU-s to the first profile, cold',
      value: cold?.firstProfileCpuS ?? Number.NaN,
      digits: 2,
      isGood: (v) => v <= 2,
      target: '≤ 2',
      otel: '2.8',
    },
    {
      what: 'first sample s, cached',
      value: middle(warm, (c) => c.firstSampleS),
      digits: 2,
      isGood: (v) => v <= 1.5,
      target: '≤ 1.5',
      otel: '–',
    },
    {
      what: 'CPU-s to the first profile, cached',
      value: middle(warm, (c) => c.firstProfileCpuS),
      digits: 2,
      isGood: (v) => v <= 0.7,
      target: '≤ 0.7',
      otel: '–',
    },
    {
      what: 'bytes a sample, mix',
      value: at('mix', (c) => c.bytesPerSample),
      digits: 1,
      isGood: (v) => v <= 15,
      target: '≤ 15',
      otel: '21.7 without names',
    },
    {
      what: 'delivered / expected, mix',
      value: at('mix', (c) => c.delivered),
      digits: 4,
      isGood: (v) => v >= 0.998,
      target: '≥ 0.998',
      otel: '0.998',
    },
    {
      what: 'slowdown, CPU %',
      value: slowdown.everflame.cpuPercent,
      digits: 2,
      isGood: (v) => v <= 0.29,
      target: '≤ 0.29',
      otel: '0.29',
    },
    {
      what: 'slowdown, wall %',
      value: slowdown.everflame.wallPercent,
      digits: 2,
      isGood: (v) => v <= 0.54,
      target: '≤ 0.54',
      otel: '0.54',
    },
  ];
  console.log(
    `## Targets (slowdown: noise ±${slowdown.everflame.noisePercent.toFixed(2)} %, perf -g ${slowdown['perf -g'].cpuPercent.toFixed(2)} % CPU)`,
  );
  printTable([
    ['', 'Everflame', 'target', '', 'OTel'],
    ...rows
      .filter(({ value }) => Number.isFinite(value))
      .map(({ what, value, digits, isGood, target, otel }) => [
        what,
        show(value, digits),
        target,
        isGood(value) ? 'holds' : 'MISSED',
        otel,
      ]),
  ]);
}
