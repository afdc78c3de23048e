import { compare, CountsBuilder } from '@everflame/compare';
import { Random } from '@everflame/compare/testing';
import { expect, test } from 'vitest';
import { firstLookMs, mostLooks, nextLook } from './look-schedule.ts';

test('looks at doubling times, each once; who comes late makes the last one that is due', () => {
  const minutes = (doneMin: number, elapsedMin: number) => {
    const span = nextLook(doneMin * 60_000, elapsedMin * 60_000);
    return span === null ? null : span / 60_000;
  };
  expect([minutes(0, 4), minutes(0, 5), minutes(5, 9), minutes(5, 10), minutes(0, 100)]).toEqual([
    null,
    5,
    null,
    10,
    80,
  ]);
  expect([minutes(2560, 1e6), minutes(1280, 1e6)]).toEqual([null, 2560]);
});

const functions = 30;
const hosts = 12;

/** A fleet of which both versions are watched for longer and longer: each look has all samples of the one before. */
class GrowingFleet {
  readonly #random: Random;
  readonly #change: number;
  /** By version, host and function. */
  readonly #counts: readonly Float64Array[];
  readonly #hostFactor = Float64Array.from({ length: hosts * functions }, () => 1);

  constructor(seed: number, change: number) {
    this.#random = new Random(seed);
    this.#change = change;
    this.#counts = [0, 1].map(() => new Float64Array(hosts * functions));
    // What a host does at all times, on both sides; pairing takes it off.
    for (let i = 0; i < hosts * functions; i++) this.#hostFactor[i] = Math.exp(0.1 * this.#random.normal());
  }

  /** Adds what `parts` first looks bring: Poisson counts around rates that wander by 3 % from part to part. */
  grow(parts: number): void {
    for (const [version, counts] of this.#counts.entries()) {
      for (let i = 0; i < hosts * functions; i++) {
        const factor = version === 1 && i % functions === 7 ? 1 + this.#change : 1;
        const wander = Math.exp(0.03 * this.#random.normal());
        const rate = 40 * (this.#hostFactor[i] ?? 1) * factor * wander;
        counts[i] = (counts[i] ?? 0) + this.#random.poisson(rate * parts);
      }
    }
  }

  side(version: 0 | 1) {
    const builder = new CountsBuilder(`v${version + 1}`, functions, 0.01);
    const counts = this.#counts[version] ?? new Float64Array(0);
    for (let host = 0; host < hosts; host++) {
      const own = counts.subarray(host * functions, (host + 1) * functions);
      const samples = own.reduce((sum, count) => sum + count, 0);
      const ids = Uint32Array.from({ length: functions }, (_, id) => id);
      builder.add(`host-${host}`, {
        functions: ids,
        self: own,
        inclusive: own,
        samples,
        seconds: samples,
        requests: null,
      });
    }
    return builder.finish();
  }
}

/** The looks at which anything is found of a fleet whose function 7 changed. */
function lookUntilFound(seed: number, change: number, isAccounted: boolean): number | null {
  const fleet = new GrowingFleet(seed, change);
  const names = Array.from({ length: functions }, (_, i) => `f${i}`);
  let done = 0;
  for (let look = 1; look <= mostLooks; look++) {
    const spanMs = nextLook(done, firstLookMs * 2 ** (look - 1)) ?? 0;
    fleet.grow((spanMs - done) / firstLookMs);
    done = spanMs;
    const found = compare({
      before: fleet.side(0),
      after: fleet.side(1),
      functions: { name: names, file: names },
      kind: 'host',
      options: { minEffect: 0, ...(isAccounted ? { look } : {}) },
    }).functions.some(({ verdict }) => verdict === 'regressed' || verdict === 'improved');
    if (found) return look;
  }
  return null;
}

test('over all looks, a fleet without a change is called changed in at most 5 %; without accounting for them more often', () => {
  const repeats = 150;
  const rate = (isAccounted: boolean): number => {
    let any = 0;
    for (let seed = 0; seed < repeats; seed++) if (lookUntilFound(seed, 0, isAccounted) !== null) any++;
    return any / repeats;
  };
  const [accounted, naive] = [rate(true), rate(false)];
  process.stdout.write(
    `A/A, ${repeats} fleets, ${mostLooks} looks: any finding ${accounted}; looks not accounted for ${naive}\n`,
  );
  // Three standard deviations of the estimate above 5 %.
  expect(accounted).toBeLessThanOrEqual(0.05 + 3 * Math.sqrt((0.05 * 0.95) / repeats));
  expect(naive).toBeGreaterThan(2 * accounted);
}, 180_000);

test('a change is found as early as its size allows', () => {
  const looks = (change: number) =>
    Array.from({ length: 30 }, (_, seed) => lookUntilFound(1000 + seed, change, true) ?? Infinity).sort(
      (a, b) => a - b,
    );
  const [large, small] = [looks(0.5), looks(0.1)];
  process.stdout.write(`+50 %: found by look ${large[26]} in 9 of 10; +10 %: by look ${small[26]}\n`);
  expect(large[26]).toBeLessThanOrEqual(2);
  expect(small[26]).toBeLessThanOrEqual(7);
}, 60_000);
