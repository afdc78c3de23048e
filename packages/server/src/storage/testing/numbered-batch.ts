import { ProfileBuilder } from '@everflame/profile';
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
