import type { SideCounts } from '../counts/side-counts.ts';
import { analyse, type Pair, pastEffects, type PastComparison } from '../effects/analyse.ts';
import { isTestable } from '../effects/effect-table.ts';
import { compare } from '../compare.ts';
import { tQuantileUpper } from '../distributions/student-t.ts';
import { type FleetModel, SimulatedFleet } from './simulated-fleet.ts';

export interface CalibrationOptions {
  readonly model: FleetModel;
  readonly hosts: number;
  readonly repeats: number;
  readonly seed: number;
  readonly shockSd?: number;
  /** How drift of the fleet is dealt with: not at all, by 14 past pairs of windows at the same hours, or by half of the fleet as controls. */
  readonly drift: 'none' | 'past' | 'controls';
  /** Minimum effect; default that of `compare`. */
  readonly minEffect?: number;
}

export interface Calibration {
  /** Part of the nominal 95 % intervals that miss the truth when nothing changed. */
  readonly falsePositiveRate: number;
  /** Mean over repeats of the part of findings that are unchanged functions, when 30 of 600 changed by +30 %. */
  readonly falseDiscoveryRate: number;
  /** Part of the changed functions that were found. */
  readonly power: number;
  /** Part of the changed functions whose 95 % interval covers +30 %. */
  readonly coverage: number;
  /** Part of the comparisons without a change that report any regression or new function. */
  readonly falseAlarms: number;
}

const CHANGED = 30;
const FACTOR = 1.3;
const PAST = 14;

/** Repeats comparisons of a simulated fleet with itself, and with 30 functions that cost 30 % more, and counts what is said of them. */
export function calibrate(options: CalibrationOptions): Calibration {
  let misses = 0;
  let intervals = 0;
  let discoveries = 0;
  let found = 0;
  let covered = 0;
  let alarms = 0;
  for (let repeat = 0; repeat < options.repeats; repeat++) {
    const fleet = new SimulatedFleet({
      model: options.model,
      hosts: options.hosts,
      seed: options.seed + 1000 * options.hosts + repeat,
      shockSd: options.shockSd ?? 0,
    });
    const past = options.drift === 'past' ? pastOf(fleet) : [];
    const base = { functions: fleet.names, kind: 'host', past, pastAligned: true } as const;
    const minEffect = options.minEffect === undefined ? {} : { options: { minEffect: options.minEffect } };
    const plain = drawPairs(fleet, new Map(), options.drift);
    const { inclusive } = analyse(plain.pair, plain.controls ?? null, past, true, 'host', 'share');
    for (const [id, theta] of inclusive.theta.entries()) {
      if (!isTestable(inclusive.table, id)) continue;
      intervals++;
      const reach = tQuantileOf(inclusive.df[id] ?? 0) * Math.sqrt(inclusive.variance[id] ?? 0);
      if (Math.abs(theta) > reach) misses++;
    }
    const quiet = compare({ ...base, ...minEffect, ...plain.pair, ...controlsOf(plain.controls) });
    if (quiet.functions.some((one) => one.verdict === 'regressed' || one.verdict === 'new')) alarms++;

    const changed = new Map<number, number>();
    for (let i = 0; i < CHANGED; i++) changed.set(fleet.leaves[i * (fleet.leaves.length / CHANGED)] ?? 0, FACTOR);
    const touched = new Set(changed.keys());
    if (options.model === 'hard') for (const id of changed.keys()) touched.add(fleet.handlerOf(id));
    const drawn = drawPairs(fleet, changed, options.drift);
    const loud = compare({ ...base, ...minEffect, ...drawn.pair, ...controlsOf(drawn.controls) });
    const findings = loud.functions.filter((one) =>
      ['regressed', 'improved', 'new', 'gone', 'moved'].includes(one.verdict),
    );
    const wrong = findings.filter((one) => !touched.has(one.id) || one.verdict !== 'regressed').length;
    discoveries += findings.length === 0 ? 0 : wrong / findings.length;
    found += findings.filter((one) => changed.has(one.id) && one.verdict === 'regressed').length;
    covered += loud.functions.filter(
      (one) =>
        changed.has(one.id) && one.interval !== null && one.interval[0] <= FACTOR - 1 && one.interval[1] >= FACTOR - 1,
    ).length;
  }
  const all = CHANGED * options.repeats;
  return {
    falsePositiveRate: misses / intervals,
    falseDiscoveryRate: discoveries / options.repeats,
    power: found / all,
    coverage: covered / all,
    falseAlarms: alarms / options.repeats,
  };
}

/** Past pairs of windows at the hours that the comparison looks at. */
function pastOf(fleet: SimulatedFleet): PastComparison[] {
  return Array.from({ length: PAST }, (_, k) =>
    pastEffects(
      {
        before: fleet.draw({ version: 'past', window: 10 + 2 * k, hour: 10 }),
        after: fleet.draw({ version: 'past', window: 11 + 2 * k, hour: 11 }),
      },
      'host',
      'share',
    ),
  );
}

function drawPairs(
  fleet: SimulatedFleet,
  factor: ReadonlyMap<number, number>,
  drift: CalibrationOptions['drift'],
): { pair: Pair; controls: Pair | null } {
  const { hosts } = fleet.options;
  const treated = drift === 'controls' ? Math.ceil(hosts / 2) : hosts;
  const draw = (
    version: string,
    window: number,
    range: readonly [number, number],
    factors: ReadonlyMap<number, number>,
  ): SideCounts => fleet.draw({ version, window, hour: 9 + window, hosts: range, factor: factors });
  const none = new Map<number, number>();
  return {
    pair: { before: draw('v1', 1, [0, treated], none), after: draw('v2', 2, [0, treated], factor) },
    controls:
      drift === 'controls'
        ? { before: draw('v1', 1, [treated, hosts], none), after: draw('v1', 2, [treated, hosts], none) }
        : null,
  };
}

function controlsOf(controls: Pair | null): { controls?: Pair } {
  return controls === null ? {} : { controls };
}

const quantiles = new Map<number, number>();

function tQuantileOf(df: number): number {
  const rounded = Number(df.toPrecision(3));
  const known = quantiles.get(rounded) ?? tQuantileUpper(0.025, rounded);
  quantiles.set(rounded, known);
  return known;
}
