import type { ProfileHeader } from '@everflame/profile/write';

/** Name of the agent's profiles: the `__name__` of their series. */
export const profileName = 'process_cpu';

/** What one sample at this rate stands for; the kernel divides just so (99 Hz: 10,101,010 ns). */
export function periodNsFor(frequencyHz: number): bigint {
  return 1_000_000_000n / BigInt(frequencyHz);
}

/** The header of a CPU profile that was sampled at `frequencyHz`: `samples/count` and `cpu/nanoseconds`. */
export function cpuProfileHeader(frequencyHz: number, timeNanos: bigint, durationNanos: bigint): ProfileHeader {
  return {
    sampleTypes: [
      { type: 'samples', unit: 'count' },
      { type: 'cpu', unit: 'nanoseconds' },
    ],
    defaultSampleType: 'cpu',
    periodType: { type: 'cpu', unit: 'nanoseconds' },
    period: periodNsFor(frequencyHz),
    timeNanos,
    durationNanos,
  };
}
