import { type Profile, ProfileBuilder } from '@everflame/profile';
import type { Random } from './random.ts';
import type { ServiceModel } from './service-model.ts';

const cpu = { type: 'cpu', unit: 'nanoseconds' };
/** At 99 Hz. */
const samplePeriodNanos = 10_101_010n;

/** Profiles of one service without a wire format between: their tables are one, their samples drawn by the model's weights. */
export class ModelProfiles {
  readonly #model: ServiceModel;
  readonly #base: Profile;
  /** The row of each stack of the model. */
  readonly #rows: Uint32Array;

  constructor(model: ServiceModel) {
    this.#model = model;
    const builder = new ProfileBuilder({
      sampleTypes: [{ type: 'samples', unit: 'count' }, cpu],
      periodType: cpu,
      period: samplePeriodNanos,
    });
    const functions = model.functions.map(({ name, file }) => builder.function({ name, file }));
    const mapping = builder.mapping({ memoryLimit: 0x4000_0000n, file: `/usr/bin/${model.name}`, buildId: 'c0de' });
    const locations = Array.from(model.locationFunction, (own, location) => {
      const line = model.locationLine[location] ?? 0;
      const inlined = (model.locationInlined[location] ?? 0) - 1;
      const outer = { function: functions[own] ?? 0, line };
      return builder.location({
        mapping,
        address: BigInt(model.locationOffset[location] ?? 0),
        lines: inlined < 0 ? [outer] : [{ function: functions[inlined] ?? 0, line }, outer],
      });
    });
    this.#rows = new Uint32Array(model.stackOffset.length - 1);
    for (let stack = 0; stack < this.#rows.length; stack++) {
      let row = 0;
      for (let at = (model.stackOffset[stack + 1] ?? 0) - 1; at >= (model.stackOffset[stack] ?? 0); at--) {
        row = builder.stack(row, locations[model.stackLocations[at] ?? 0] ?? 0);
      }
      this.#rows[stack] = row;
    }
    this.#base = builder.build();
  }

  /** `hits` samples from `timeMs` on for `seconds`. */
  draw(random: Random, hits: number, timeMs: number, seconds: number): Profile {
    const counts = new Map<number, number>();
    for (let hit = 0; hit < hits; hit++) {
      const stack = this.#model.zipf.draw(random);
      counts.set(stack, (counts.get(stack) ?? 0) + 1);
    }
    const count = Float64Array.from(counts.values());
    return {
      ...this.#base,
      timeNanos: BigInt(timeMs) * 1_000_000n,
      durationNanos: BigInt(seconds) * 1_000_000_000n,
      samples: {
        length: counts.size,
        stack: Uint32Array.from(counts.keys(), (stack) => this.#rows[stack] ?? 0),
        labelSet: new Uint32Array(counts.size),
        values: BigInt64Array.from([...count].flatMap((one) => [BigInt(one), BigInt(one) * samplePeriodNanos])),
        count,
      },
    };
  }
}
