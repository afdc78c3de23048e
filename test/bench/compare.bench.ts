/**
 * Calibration and cost of the comparison, on simulated fleets: `npm run bench:compare [scale]`. Every figure that must hold is checked,
 * and the exit code says whether all did. `scale` multiplies the repeats (default 1: about three minutes). Seeded: every run prints the same figures,
 * the times excepted.
 */
import {
  compare,
  type Comparison,
  CountsBuilder,
  type FunctionComparison,
  type FunctionNames,
  type MinuteSeries,
  regressionsOverTime,
  sentenceOf,
  type SideCounts,
} from '@everflame/compare';
import {
  calibrate,
  type CalibrationOptions,
  Random,
  SimulatedFleet,
  type WindowOptions,
} from '@everflame/compare/testing';

const scale = Number(process.argv[2] ?? 1);
let failed = 0;

function check(holds: boolean, text: string): string {
  if (!holds) failed++;
  return holds ? text : `${text} FAILS`;
}

console.log(
  'cost: 200 hosts x 5,000 functions x two versions x 60 minutes, every function in every minute (the worst case)',
);
{
  const [hosts, functions, minutes] = [200, 5000, 60];
  const random = new Random(1);
  const ids = Uint32Array.from({ length: functions }, (_, id) => id);
  const inclusive = Uint32Array.from({ length: functions }, () => 1 + Math.floor(20 * random.uniform() ** 3));
  const self = inclusive.map((count) => Math.floor(count / 3));
  const names = {
    name: Array.from(ids, (id) => `package${id % 50}::function${id}`),
    file: Array.from(ids, (id) => `file${id % 400}.ts`),
  };
  const samples = inclusive.reduce((sum, count) => sum + count, 0);
  let addMs = 0;
  const build = (version: string): SideCounts => {
    const builder = new CountsBuilder(version, functions, 1 / 99);
    for (let host = 0; host < hosts; host++) {
      for (let minute = 0; minute < minutes; minute++) {
        // A few cells differ each time, so that hosts are not copies of each other; outside the clock.
        for (let i = 0; i < 200; i++)
          inclusive[Math.floor(random.uniform() * functions)] = 1 + Math.floor(20 * random.uniform());
        for (let i = 0; i < functions; i++) self[i] = Math.min(self[i] ?? 0, inclusive[i] ?? 0);
        const start = performance.now();
        builder.add(`host${host}`, {
          functions: ids,
          self,
          inclusive,
          samples: 10 * samples,
          seconds: 60,
          requests: null,
        });
        addMs += performance.now() - start;
      }
    }
    const start = performance.now();
    const side = builder.finish();
    addMs += performance.now() - start;
    return side;
  };
  const sides = { before: build('v1'), after: build('v2') };
  const start = performance.now();
  const result = compare({ ...sides, functions: names, kind: 'host' });
  const compareMs = performance.now() - start;
  // In kB, the highest of this process so far: it runs first, so that nothing else is in it but Node.js itself.
  const peak = process.resourceUsage().maxRSS / 1000;
  const cells = 2 * hosts * functions;
  console.log(
    `adding up ${2 * hosts * minutes} minute rows: ${addMs.toFixed(0)} ms, ${((addMs * 1e6) / (cells * minutes)).toFixed(2)} ns per function, host and minute`,
  );
  console.log(
    `compare: ${compareMs.toFixed(0)} ms, ${((compareMs * 1e6) / cells).toFixed(0)} ns per function and host`,
  );
  console.log(
    `both: ${check(addMs + compareMs <= 1000, `${(addMs + compareMs).toFixed(0)} ms (<= 1000)`)}; peak memory of the process ${check(peak <= 300, `${peak.toFixed(0)} MB (<= 300)`)}`,
  );
  console.log(sentenceOf(result));
}

console.log('\ncalibration: 600 functions of 0.02-3 % share, 40,000 samples per host and window; 30 changed by +30 %');
console.log(
  'model shock drift     hosts repeats | false positives [.03,.07] | FDR at q=.05     | power            | coverage of +30 % | A/A that alarm',
);
interface Row extends Omit<CalibrationOptions, 'seed' | 'repeats'> {
  readonly repeats: number;
  readonly maxFdr: number;
  readonly minPower: number;
}
const rows: readonly Row[] = [
  ...[6, 20, 100].map((hosts): Row => ({
    model: 'plain',
    hosts,
    drift: 'none',
    repeats: hosts === 100 ? 40 : 100,
    maxFdr: 0.07,
    minPower: hosts === 6 ? 0 : 0.8,
  })),
  ...[6, 20, 100].map((hosts): Row => ({
    model: 'hard',
    hosts,
    drift: 'past',
    repeats: hosts === 100 ? 20 : 60,
    maxFdr: 0.07,
    minPower: 0,
  })),
  ...[20, 100].map((hosts): Row => ({
    model: 'hard',
    hosts,
    drift: 'controls',
    repeats: hosts === 100 ? 40 : 60,
    maxFdr: 0.07,
    minPower: 0,
  })),
  ...(['past', 'controls'] as const).flatMap((drift) =>
    (['plain', 'hard'] as const).flatMap((model) =>
      [20, 100].map((hosts): Row => ({
        model,
        hosts,
        drift,
        shockSd: 0.05,
        repeats: hosts === 100 ? 20 : 60,
        maxFdr: 0.1,
        minPower: 0,
      })),
    ),
  ),
];
for (const { maxFdr, minPower, repeats, ...options } of rows) {
  const count = Math.max(2, Math.round(repeats * scale));
  const got = calibrate({ ...options, repeats: count, seed: 20_000 });
  console.log(
    [
      options.model.padEnd(5),
      (options.shockSd ?? 0).toFixed(2).padEnd(5),
      options.drift.padEnd(9),
      String(options.hosts).padStart(5),
      `${String(count).padStart(7)} |`,
      check(got.falsePositiveRate >= 0.03 && got.falsePositiveRate <= 0.07, got.falsePositiveRate.toFixed(4)).padEnd(
        25,
      ),
      '|',
      check(got.falseDiscoveryRate <= maxFdr, `${got.falseDiscoveryRate.toFixed(3)} (<= ${maxFdr})`).padEnd(16),
      '|',
      check(got.power >= minPower, `${got.power.toFixed(3)}${minPower > 0 ? ` (>= ${minPower})` : ''}`).padEnd(16),
      '|',
      got.coverage.toFixed(3).padEnd(17),
      '|',
      got.falseAlarms.toFixed(3),
    ].join(' '),
  );
}

console.log('\nnamed for what they are (hard model, 20 hosts, 20 fleets each)');
const fleets = Math.max(2, Math.round(20 * scale));
const largest = (fleet: SimulatedFleet): number[] =>
  fleet.leaves.toSorted((a, b) => (fleet.share[b - 61] ?? 0) - (fleet.share[a - 61] ?? 0));
const named = (what: string, wanted: number, right: (fleet: SimulatedFleet) => boolean): void => {
  let count = 0;
  for (let seed = 0; seed < fleets; seed++)
    if (right(new SimulatedFleet({ model: 'hard', hosts: 20, seed: 500 + seed }))) count++;
  console.log(`${what}: ${check(count >= wanted * fleets, `${count} of ${fleets} (>= ${wanted})`)}`);
};
const against = (fleet: SimulatedFleet, change: Partial<WindowOptions>): Comparison =>
  compare({
    before: fleet.draw({ version: 'v1', window: 1 }),
    after: fleet.draw({ version: 'v2', window: 2, ...change }),
    functions: fleet.names,
    kind: 'host',
  });
const findingsOf = ({ functions }: Comparison): FunctionComparison[] =>
  functions.filter((one) => ['regressed', 'improved', 'new', 'gone', 'moved'].includes(one.verdict));

// One finding in twenty may be false, so one beside the planted ones is allowed.
named(
  '60 % of a function moved to another of its file: "moved within" the file, the taker never "regressed", at most one finding else',
  0.9,
  (fleet) => {
    const [from, to] = neighbours(fleet);
    const findings = findingsOf(against(fleet, { move: { from, to, part: 0.6 } }));
    const text = `moved within ${fleet.names.file[from]}`;
    const giver = findings.find((one) => one.id === from);
    const taker = findings.find((one) => one.id === to);
    const others = findings.filter((one) => one.id !== from && one.id !== to).length;
    return giver?.verdictText === text && (taker === undefined || taker.verdictText === text) && others <= 1;
  },
);
named(
  'a function forty times as hot: it leads, the fallen shares are "diluted by" it, at most one finding else',
  0.9,
  (fleet) => {
    const hot = largest(fleet)[5] ?? 0;
    const result = against(fleet, { factor: new Map([[hot, 40]]) });
    const findings = findingsOf(result);
    const diluted = result.functions.filter((one) => one.dilutedBy !== null);
    const planted = findings.filter(
      (one) => one.verdict === 'regressed' && [hot, fleet.handlerOf(hot)].includes(one.id),
    );
    return (
      planted.length === 2 &&
      findings.length <= 3 &&
      result.summary.lead?.id === hot &&
      diluted.length > 300 &&
      diluted.every((one) => one.dilutedBy === fleet.names.name[hot])
    );
  },
);
named('half as much load again: "load", at most one finding', 0.9, (fleet) => {
  const result = against(fleet, { load: 1.5 });
  return result.summary.nature === 'load' && result.summary.verdict === 'unchanged' && findingsOf(result).length <= 1;
});

/** Two functions of one file of which the first is large. */
function neighbours(fleet: SimulatedFleet): [from: number, to: number] {
  for (const from of largest(fleet)) {
    const file = fleet.names.file[from];
    const to = fleet.leaves.find(
      (id) => id !== from && fleet.names.file[id] === file && (fleet.share[id - 61] ?? 0) > 0.002,
    );
    if (to !== undefined) return [from, to];
  }
  throw new Error('no two functions share a file');
}

console.log(
  '\na small benchmark: 5 units, 80 functions, noise of sd 2 % between units and windows, +10 % in a function of 5 %',
);
for (const perUnit of [18_000, 180_000]) {
  const runs = Math.max(10, Math.round(60 * scale));
  let [found, first, covered, alarms] = [0, 0, 0, 0];
  for (let run = 0; run < runs; run++) {
    const [draw, names] = smallBenchmark(new Random(run), perUnit);
    const result = compare({ before: draw('v1', 1), after: draw('v2', 1.1), functions: names, kind: 'host' });
    const planted = result.functions.find((one) => one.id === 1);
    if (planted?.verdict === 'regressed') found++;
    if (planted?.verdict === 'regressed' && result.functions[0] === planted) first++;
    const [low, high] = planted?.interval ?? [1, -1];
    if (low <= 0.1 && high >= 0.1) covered++;
    const quiet = compare({ before: draw('v1', 1), after: draw('v2', 1), functions: names, kind: 'host' });
    if (findingsOf(quiet).length > 0) alarms++;
  }
  const part = (count: number): string => (count / runs).toFixed(3);
  console.log(
    `${perUnit} samples per unit and side: found ${part(found)}, first ${part(first)}, interval covers ${part(covered)}; A/A that alarm ${check(alarms / runs <= 0.07, part(alarms))}`,
  );
}

/** A flat service: main, a function of 5 % and 78 of log-normal shares. */
function smallBenchmark(
  random: Random,
  perUnit: number,
): [draw: (version: string, up: number) => SideCounts, names: FunctionNames] {
  const functions = 80;
  const share = Float64Array.from({ length: functions }, (_, f) => (f < 2 ? 0 : Math.exp(2.5 * random.normal())));
  const all = share.reduce((sum, value) => sum + value, 0);
  const draw = (version: string, up: number): SideCounts => {
    const builder = new CountsBuilder(version, functions, 1 / 99);
    for (let unit = 0; unit < 5; unit++) {
      const self = share.map((value, f) => {
        const part = f === 1 ? 0.05 * up : (0.95 * value) / all;
        return f === 0 ? 0 : random.poisson(perUnit * part * Math.exp(0.02 * random.normal()));
      });
      const samples = self.reduce((sum, count) => sum + count, 0);
      const inclusive = self.map((count, f) => (f === 0 ? samples : count));
      const ids = Uint32Array.from({ length: functions }, (_, id) => id);
      builder.add(`host${unit}`, { functions: ids, self, inclusive, samples, seconds: 180, requests: null });
    }
    return builder.finish();
  };
  return [
    draw,
    { name: Array.from({ length: functions }, (_, f) => `f${f}`), file: Array.from({ length: functions }, () => '') },
  ];
}

console.log('\nrepeated looks: A/A, plain, 20 hosts, looks after 1, 2, 4, ... 128 parts of the data');
{
  let any = 0;
  let plainAny = 0;
  const runs = Math.max(2, Math.round(60 * scale));
  for (let seed = 0; seed < runs; seed++) {
    const fleet = new SimulatedFleet({ model: 'plain', hosts: 20, seed: 900 + seed });
    let [accounted, naive] = [false, false];
    for (let look = 1; look <= 8; look++) {
      const draw = (version: string, window: number): SideCounts =>
        fleet.draw({ version, window: window + 2 * look, load: 2 ** (look - 1) / 128 });
      const sides = { before: draw('v1', 1), after: draw('v2', 2), functions: fleet.names, kind: 'host' } as const;
      const has = (options: { look?: number }): boolean =>
        findingsOf(compare({ ...sides, options: { ...options, minEffect: 0 } })).length > 0;
      accounted ||= has({ look });
      naive ||= has({});
    }
    if (accounted) any++;
    if (naive) plainAny++;
  }
  console.log(
    `series with any finding: ${check(any / runs <= 0.07, `${(any / runs).toFixed(3)} (<= 0.07)`)} of ${runs}; without accounting for the looks ${(plainAny / runs).toFixed(3)}`,
  );
}

console.log(
  '\nchange points: windows of 6 h, 200 samples a minute of a function, noise of sd 5 % a minute with memory',
);
{
  const minutes = 360;
  const random = new Random(11);
  const drawn = (memory: number, step: number): MinuteSeries => {
    let noise = 0;
    const counts = Float64Array.from({ length: minutes }, (_, minute) => {
      noise = memory * noise + 0.05 * Math.sqrt(1 - memory * memory) * random.normal();
      return random.poisson(200 * Math.exp(noise) * (minute >= 240 ? step : 1));
    });
    return { counts, exposure: new Float64Array(minutes).fill(20_000) };
  };
  const runs = Math.max(20, Math.round(300 * scale));
  const window = { period: 1440, domains: [], from: 0 };
  for (const memory of [0, 0.5, 0.8]) {
    let [alarms, hits] = [0, 0];
    for (let run = 0; run < runs; run++) {
      alarms += regressionsOverTime({ ...window, minEffect: 0, series: [drawn(memory, 1)] }).funnel.changed;
      hits += regressionsOverTime({ ...window, series: [drawn(memory, 1.1)] }).findings.length;
    }
    const rate = alarms / runs;
    console.log(
      `memory ${memory}: alarms without a change ${check(rate <= 0.07, `${rate.toFixed(3)} (<= 0.07)`)}; a step of +10 % found in ${(hits / runs).toFixed(3)}`,
    );
  }
}

if (failed > 0) {
  console.log(`\n${failed} figures do not hold`);
  process.exitCode = 1;
} else console.log('\nall figures hold');
