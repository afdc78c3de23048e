import { type IntervalClock } from './collector.ts';
import { IntervalSamples } from './interval-samples.ts';

/** Now, in CLOCK_MONOTONIC nanoseconds as the kernel stamps samples and records. Exact to 2^53, see PerfRecord. */
export function monotonicNowNs(): number {
  return Number(process.hrtime.bigint());
}

/** The two clocks are read one after the other and one in whole milliseconds: a boundary missed by that little is meant. */
const clockErrorMs = 5;
/** What is left of an interval at the start is joined to the next one when it is less than this part of a whole. */
const shortestShare = 0.05;

/**
 * Intervals that end at multiples of `intervalMs` of the wall clock, so that the intervals of all hosts are the same ones.
 * The first is as long as what is left until then. The wall clock is asked anew for each interval: when it was set, one
 * interval is longer or shorter, and its duration says so.
 */
export function alignedIntervals(
  intervalMs: number,
  clock: { monotonicNs: () => number; unixMs: () => number } = { monotonicNs: monotonicNowNs, unixMs: Date.now },
): IntervalClock {
  return (startNs) => {
    const unixMs = clock.unixMs() - (clock.monotonicNs() - startNs) / 1e6;
    const nearest = Math.round(unixMs / intervalMs) * intervalMs;
    const startUnixMs = Math.abs(nearest - unixMs) < clockErrorMs ? nearest : unixMs;
    const endUnixMs = (Math.floor(startUnixMs / intervalMs + shortestShare) + 1) * intervalMs;
    return {
      samples: new IntervalSamples(startNs, BigInt(Math.round(startUnixMs * 1e3)) * 1000n),
      endNs: startNs + (endUnixMs - unixMs) * 1e6,
    };
  };
}
