/** Profiles, batches, questions and what happens in between, as the property tests draw them. */
import { type LabelInput, type Matcher, type Profile, ProfileBuilder, type ValueType } from '@everflame/profile';
import * as fc from 'fast-check';
import type { Batch, Entry } from '../storage.ts';

const type = (text: string): ValueType => {
  const [name = '', unit = ''] = text.split('/');
  return { type: name, unit };
};
export const cpu = {
  sampleTypes: [type('samples/count'), type('cpu/nanoseconds')],
  periodType: type('cpu/nanoseconds'),
};
const shapes = [
  cpu,
  { ...cpu, defaultSampleType: 'cpu', comments: ['from a second tool'], period: 7n },
  { sampleTypes: [type('cpu/nanoseconds')], periodType: type('cpu/nanoseconds') },
  { sampleTypes: [type('inuse_objects/count'), type('inuse_space/bytes')], periodType: type('space/bytes') },
];
export const baseMs = 1_700_000_000_000;

/** Beyond what float64 holds, and so large that two of them leave int64 whatever small ones are added. */
const big = fc.constantFrom(2n ** 53n + 1n, 2n ** 62n + 100_000n);
const small = fc.oneof({ weight: 30, arbitrary: fc.bigInt({ min: 1n, max: 50n }) }, fc.bigInt({ min: -5n, max: 50n }));
const label: fc.Arbitrary<LabelInput> = fc.oneof(
  fc.record({ key: fc.constantFrom('thread_name', 'host_name'), text: fc.constantFrom('main', 'worker', 'a') }),
  fc.record({
    key: fc.constant('bytes'),
    number: fc.bigInt({ min: -1n, max: 2n }),
    unit: fc.constantFrom('', 'bytes'),
  }),
);
/** `isPlain`: every frame has a function and every value is above 0, so that trees are answered by the index. */
const frameOf = (isPlain: boolean) =>
  fc.record({
    binary: fc.nat(2),
    address: fc.nat(3),
    lines: fc.array(fc.record({ name: fc.constantFrom('f', 'g', 'h', ''), line: fc.nat(2), column: fc.nat(1) }), {
      minLength: isPlain ? 1 : 0,
      maxLength: 2,
    }),
  });
const sampleOf = (isPlain: boolean) => {
  const value = isPlain ? fc.bigInt({ min: 1n, max: 50n }) : small;
  return fc.record({
    stack: fc.array(frameOf(isPlain), { maxLength: 4 }),
    labels: fc.array(label, { maxLength: 2 }),
    values: fc.tuple(value, value),
  });
};

/** How many nanoseconds each sample of a profile stands for, as a sampler's do; 0: any values. */
const sampleNanos = fc.oneof(
  { weight: 2, arbitrary: fc.constant(7n) },
  { weight: 1, arbitrary: fc.constantFrom(0n, 10n) },
);

interface SampleInput {
  readonly stack: readonly {
    binary: number;
    address: number;
    lines: readonly { name: string; line: number; column: number }[];
  }[];
  readonly labels: readonly LabelInput[];
  readonly values: readonly bigint[];
}

function byClock(samples: readonly SampleInput[], each: bigint): readonly SampleInput[] {
  if (each === 0n) return samples;
  return samples.map((one) => {
    const count = one.values[0] === undefined || one.values[0] <= 0n ? 1n : one.values[0];
    return { ...one, values: [count, count * each] };
  });
}

/** Binary 1 and 2 are one, loaded at two addresses. */
function buildProfile(shape: (typeof shapes)[number], samples: readonly SampleInput[], timeNanos: bigint): Profile {
  const builder = new ProfileBuilder({ ...shape, timeNanos, durationNanos: 10_000_000_123n });
  for (const { stack, labels, values } of samples) {
    let row = 0;
    for (const { binary, address, lines } of stack) {
      const start = BigInt(binary) * 0x10000n;
      const file = binary === 0 ? '/bin/api' : '/lib/libc.so';
      const buildId = binary === 0 ? '' : 'abcd';
      const mapping = builder.mapping({ memoryStart: start, memoryLimit: start + 0x4000n, file, buildId, flags: 15 });
      const location = builder.location({
        mapping,
        address: start + BigInt(address),
        lines: lines.map(({ name, line, column }) => ({
          // Several functions have one name and one file.
          function: builder.function({ name, systemName: `_Z${name}${line}`, file: `${name}.c`, startLine: 3 }),
          line,
          column,
        })),
      });
      row = builder.stack(row, location);
    }
    builder.add(row, builder.labelSet(labels), values.slice(0, shape.sampleTypes.length));
  }
  return builder.build();
}

export const entryOf = (isPlain: boolean): fc.Arbitrary<Entry> =>
  fc
    .record({
      name: fc.constantFrom('process_cpu', 'process_cpu', 'memory'),
      service: fc.constantFrom('api', 'web'),
      host: fc.option(fc.constantFrom('a', 'b'), { nil: undefined }),
      version: fc.option(fc.constantFrom('v1', 'v2'), { nil: undefined }),
      more: fc.constantFrom(
        {},
        {},
        { service_version_source: 'build_id' },
        { k8s_pod_name: 'p' },
        { container_id: 'c' },
      ),
      shape: fc.constantFrom(...(isPlain ? [cpu] : shapes)),
      samples: fc.array(sampleOf(isPlain), { maxLength: 6 }),
      each: sampleNanos,
      extreme: isPlain
        ? fc.constant(undefined)
        : fc.option(fc.record({ value: big, stack: fc.array(frameOf(false), { maxLength: 1 }) }), {
            nil: undefined,
            freq: 8,
          }),
      // Some minutes, some days apart, so that blocks have several windows.
      timeMs: fc.oneof(
        fc.nat(100),
        fc.nat(400).map((ms) => ms * 10_000),
        fc.nat(100).map((ms) => ms * 36_000_000),
      ),
      restNanos: fc.nat(999_999),
    })
    .map(({ name, service, host, version, more, shape, samples, each, extreme, timeMs, restNanos }) => {
      const added =
        extreme === undefined
          ? []
          : [
              {
                stack: extreme.stack,
                labels: [],
                values: [...shape.sampleTypes.slice(1).map(() => 1n), extreme.value],
              },
            ];
      return {
        name,
        labels: {
          service_name: service,
          ...(host === undefined ? {} : { host_name: host }),
          ...(version === undefined ? {} : { service_version: version }),
          ...more,
        },
        profile: buildProfile(
          shape,
          [...byClock(samples, each), ...added],
          BigInt(baseMs + timeMs) * 1_000_000n + BigInt(restNanos),
        ),
      };
    });
export const batchOf = (entries: fc.Arbitrary<readonly Entry[]>): fc.Arbitrary<Batch> =>
  fc.record({
    batchId: fc.option(fc.uint8Array({ minLength: 1, maxLength: 1, max: 3 }), { nil: null }),
    entries,
    agent: fc.constant(null),
    receivedMs: fc.constant(baseMs),
  });

/** One or two series with so many profiles that blocks have rollups of rollups. */
export const denseBatchOf = (isPlain: boolean) =>
  batchOf(
    fc
      .record({
        shape: fc.constantFrom(...(isPlain ? [cpu] : shapes)),
        each: sampleNanos,
        drawn: fc.array(
          fc.record({
            service: fc.constantFrom('api', 'api', 'api', 'web'),
            samples: fc.array(sampleOf(isPlain), { maxLength: 4 }),
            // A few have another clock.
            own: fc.oneof({ weight: 15, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: sampleNanos }),
            // All in one minute, or in some minutes of some hours.
            timeMs: fc.oneof(
              fc.nat(100),
              fc.tuple(fc.nat(3), fc.nat(3)).map(([hour, minute]) => hour * 36_000_000 + minute * 60_000),
            ),
            isLabelled: fc.boolean(),
          }),
          { minLength: 20, maxLength: 40 },
        ),
      })
      .map(({ shape, each, drawn }) =>
        [...drawn, ...drawn, ...drawn].map(({ service, samples, own, timeMs, isLabelled }, i) => ({
          name: 'process_cpu',
          labels: { service_name: service },
          profile: buildProfile(
            shape,
            byClock(samples, own ?? each).map((one) => (isLabelled ? one : { ...one, labels: [] })),
            BigInt(baseMs + timeMs + Math.floor(i / drawn.length)) * 1_000_000n,
          ),
        })),
      ),
  );

const matcher: fc.Arbitrary<Matcher> = fc.record({
  name: fc.constantFrom('service_name', 'host_name', 'thread_name', 'bytes', 'nowhere'),
  operator: fc.constantFrom('=', '!=', '=~', '!~'),
  value: fc.constantFrom('', 'api', 'a', 'main', '.*', 'm.*|w.*', '1', 'api|web'),
});
/** Half of them ask for what there is most of, in all of its time: what is drawn freely mostly selects nothing. */
export const question = fc.record({
  name: fc.constantFrom('process_cpu', 'process_cpu', 'process_cpu', 'memory'),
  shape: fc.constantFrom(cpu, cpu, cpu, ...shapes),
  typeIndex: fc.nat(1),
  matchers: fc.oneof(fc.constant([]), fc.array(matcher, { maxLength: 2 })),
  fromMs: fc.oneof(fc.constant(0), fc.nat(60)).map((ms) => baseMs + ms),
  spanMs: fc.oneof(fc.constant(4_000_000_000), fc.constantFrom(1, 30, 200, 300_000, 1_000_000_000)),
  labels: fc.constantFrom('own' as const, [], ['service_version'], ['thread_name', 'host_name'], ['bytes']),
  stepMs: fc.constantFrom(1, 7, 1_000_000),
  minutes: fc.constantFrom(1, 7, 60, 1440, Infinity),
});

/** What happens to a store between two questions: profiles come, and what was there becomes blocks or is merged. */
export const happeningOf = (batches: fc.Arbitrary<readonly Batch[]>) =>
  fc.record({
    group: batches,
    restarts: fc.boolean(),
    ends: fc.constantFrom('no' as const, 'rotate' as const, 'rest' as const, 'rest after restart' as const),
    steps: fc.nat(3),
  });

export interface Happening {
  readonly group: readonly Batch[];
  readonly restarts: boolean;
  /** How the epoch ends. */
  readonly ends: 'no' | 'rotate' | 'rest' | 'rest after restart';
  readonly steps: number;
}
export type Question = typeof question extends fc.Arbitrary<infer Q> ? Q : never;
