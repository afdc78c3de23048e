import { decodeProfile, encodeProfile, ProfileBuilder } from '@everflame/profile';

/**
 * Profiles that can be told apart after they were stored: number n is of second n after the base time and holds n + 1
 * samples, so a lost one leaves a gap, and one stored twice has twice its samples.
 */
export function numberedProfile(number: number, baseUnixMs: number): Uint8Array {
  const builder = new ProfileBuilder({
    sampleTypes: [
      { type: 'samples', unit: 'count' },
      { type: 'cpu', unit: 'nanoseconds' },
    ],
    periodType: { type: 'cpu', unit: 'nanoseconds' },
    period: periodNs,
    timeNanos: BigInt(baseUnixMs + number * 1000) * 1_000_000n,
    durationNanos: 1_000_000_000n,
  });
  const location = builder.location({
    address: 0x1000n,
    lines: [{ function: builder.function({ name: 'work' }), line: 1 }],
  });
  const samples = samplesOf(number);
  builder.add(builder.stack(0, location), 0, [samples, samples * periodNs]);
  return encodeProfile(builder.build());
}

export const periodNs = 10_101_010n;

export function samplesOf(number: number): bigint {
  return BigInt(number) + 1n;
}

/** The number of a profile made by `numberedProfile`. */
export function numberOf(pprof: Uint8Array, baseUnixMs: number): number {
  const result = decodeProfile(pprof);
  if (!result.ok) throw new Error(result.error.message);
  return Number(result.profile.timeNanos / 1_000_000n - BigInt(baseUnixMs)) / 1000;
}
