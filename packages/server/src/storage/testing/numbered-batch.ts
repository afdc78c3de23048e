import { ProfileBuilder } from '@everflame/profile';
import { EmbeddedReader } from '../embedded/reader.ts';
import type { Retention } from '../embedded/retention.ts';
import type { Batch } from '../storage.ts';

export const numberedType = { type: 'cpu', unit: 'nanoseconds' };
export const numberedStartMs = 1_700_000_000_000;

/** Profile `n`: one sample of the value 1 in the function `n`, an hour after the one before; its batch has the id `n`. */
export function numberedBatch(n: number): Batch {
  const timeMs = numberedStartMs + n * 3_600_000;
  const builder = new ProfileBuilder({
    sampleTypes: [numberedType],
    periodType: numberedType,
    timeNanos: BigInt(timeMs) * 1_000_000n,
  });
  const root = builder.stack(0, builder.location({ lines: [{ function: builder.function({ name: 'main' }) }] }));
  const leaf = builder.location({ lines: [{ function: builder.function({ name: String(n) }) }] });
  builder.add(builder.stack(root, leaf), 0, [1n]);
  const labels = { service_name: n % 3 === 0 ? 'web' : 'api' };
  const batchId = new TextEncoder().encode(String(n));
  return {
    batchId,
    entries: [{ name: 'process_cpu', labels, profile: builder.build() }],
    agent: null,
    receivedMs: timeMs,
  };
}

const dayMs = 24 * 3_600_000;

/** Days of the one service, hours of the other, so that most blocks hold both what goes and what stays. */
export const numberedRetention: Retention = {
  rules: [{ matchers: [{ name: 'service_name', operator: '=', value: 'web' }], maxAgeMs: dayMs }],
  maxAgeMs: 4 * dayMs,
};

/** Whether profile `n` has to be there when profile `last` is the newest. */
export function isKept(n: number, last: number): boolean {
  const ageMs = (last - n) * 3_600_000;
  return ageMs <= (n % 3 === 0 ? dayMs : 4 * dayMs);
}

/** How often each numbered profile is stored: the value of its own function. */
export async function storedNumbers(dataDir: string): Promise<Map<string, bigint>> {
  const reader = new EmbeddedReader(dataDir);
  try {
    const range = { fromMs: 0, untilMs: Number.MAX_SAFE_INTEGER };
    const types = { name: 'process_cpu', sampleType: numberedType, periodType: numberedType };
    const { profile } = await reader.merge({ ...range, ...types, matchers: [], labels: [] });
    const { samples, stacks, locations, functions, strings } = profile;
    const found = new Map<string, bigint>();
    for (let i = 0; i < samples.length; i++) {
      const location = stacks.location[samples.stack[i] ?? 0] ?? 0;
      const leaf = locations.lineFunction[locations.lineOffset[location] ?? 0] ?? 0;
      found.set(strings[functions.nameString[leaf] ?? 0] ?? '', samples.values[i] ?? 0n);
    }
    return found;
  } finally {
    await reader.close();
  }
}
