import { type Binary, type DrawnSamples, PprofWriter } from './pprof-writer.ts';
import { Random } from './random.ts';
import { type CodeShape, makeService, type ServiceModel, standardCode } from './service-model.ts';

/** A fleet whose profiles are made, not measured. */
export interface FleetShape {
  readonly services: number;
  readonly hosts: number;
  /** Each service is at its next version after an equal part of the time. */
  readonly versions: number;
  readonly profiles: number;
  readonly spanMs: number;
  /** End of the last profile's time, exclusive, Unix ms. */
  readonly untilMs: number;
  readonly seed: number;
  /** Rows of a profile. */
  readonly minSamples: number;
  readonly maxSamples: number;
  /** Threads that samples name in a label; 0: samples have no labels. */
  readonly threads: number;
  /** A pod is replaced by one with another name after so long, and at each new version. */
  readonly podLifeMs: number;
  readonly code: CodeShape;
}

const hourMs = 3_600_000;

/** 8,000 profiles of 8 services on 5 hosts in 24 hours, 2 versions: the set that the peers were measured with. */
export const standardFleet: Omit<FleetShape, 'untilMs'> = {
  services: 8,
  hosts: 5,
  versions: 2,
  profiles: 8000,
  spanMs: 24 * hourMs,
  seed: 1,
  minSamples: 200,
  maxSamples: 956,
  threads: 0,
  podLifeMs: 6 * hourMs,
  code: standardCode,
};

const serviceNames = ['checkout', 'catalogue', 'search', 'payment', 'ledger', 'shipping', 'accounts', 'gateway'];
const hex = '0123456789abcdef';
/** Kubernetes' alphabet for the random ends of names. */
const podAlphabet = 'bcdfghjklmnpqrstvwxz2456789';

/** One profile of a load. `bytes` is an uncompressed pprof message, valid until the next one is asked for. */
export interface LoadProfile {
  readonly labels: Readonly<Record<string, string>>;
  readonly timeMs: number;
  /** Rows of the profile, and the sum of their counts. */
  readonly rows: number;
  readonly samples: number;
  readonly bytes: Uint8Array;
}

/** Profile `i` depends on the shape and `i` alone, in whatever order they are asked for. */
export class LoadSource {
  readonly shape: FleetShape;
  readonly #models: readonly ServiceModel[];
  readonly #writers = new Map<number, PprofWriter>();
  readonly #drawn: { length: number; stack: Uint32Array; count: Uint32Array; thread: Uint8Array };
  /** Place + 1 of a (stack, thread) among the rows drawn so far. */
  readonly #rowOf = new Map<number, number>();

  constructor(shape: FleetShape) {
    this.shape = shape;
    this.#models = Array.from({ length: shape.services }, (_, i) =>
      makeService(shape.code, shape.seed, i, serviceName(i)),
    );
    const room = shape.maxSamples + 1;
    this.#drawn = {
      length: 0,
      stack: new Uint32Array(room),
      count: new Uint32Array(room),
      thread: new Uint8Array(room),
    };
  }

  get length(): number {
    return this.shape.profiles;
  }

  /** Distinct stacks of all services, by function names and lines. */
  get stacks(): number {
    return this.#models.reduce((sum, { stackOffset }) => sum + stackOffset.length - 1, 0);
  }

  /** Start of profile `i`: spread evenly, whole milliseconds. */
  timeMs(i: number): number {
    const { untilMs, spanMs, profiles } = this.shape;
    return untilMs - spanMs + Math.floor((i * spanMs) / profiles);
  }

  labels(i: number): Readonly<Record<string, string>> {
    const { service, host, version } = this.#placeOf(i);
    const name = serviceName(service);
    const { seed, podLifeMs } = this.shape;
    const life = Math.floor(this.timeMs(i) / podLifeMs);
    const set = new Random(seed * 31 + service * 977 + version).text(podAlphabet, 10);
    const pod = new Random(((seed * 31 + service) * 977 + host) * 7919 + life * 13 + version).text(podAlphabet, 5);
    return {
      service_name: name,
      service_version: `1.${version}.0`,
      host_name: `node-${String(host).padStart(3, '0')}`,
      k8s_namespace_name: service % 3 === 0 ? 'shop' : service % 3 === 1 ? 'backoffice' : 'edge',
      k8s_pod_name: `${name}-${set}-${pod}`,
    };
  }

  profile(i: number): LoadProfile {
    const { service, version } = this.#placeOf(i);
    const model = this.#models[service];
    if (model === undefined) throw new RangeError(`there is no service ${service}`);
    const samples = this.#draw(model, new Random(this.shape.seed * 7_919_001 + i));
    const timeMs = this.timeMs(i);
    const total = samples.count.subarray(0, samples.length).reduce((sum, count) => sum + count, 0);
    return {
      labels: this.labels(i),
      timeMs,
      rows: samples.length,
      samples: total,
      bytes: this.#writer(model, service, version).write(samples, timeMs),
    };
  }

  #placeOf(i: number): { readonly service: number; readonly host: number; readonly version: number } {
    const { services, hosts, versions, profiles } = this.shape;
    // Every service meets every host: the hosts turn once for each round of services.
    const service = i % services;
    return { service, host: Math.floor(i / services) % hosts, version: Math.floor((i * versions) / profiles) };
  }

  /** Hits by Zipf's weights until there are enough different ones. */
  #draw({ zipf }: ServiceModel, random: Random): DrawnSamples {
    const { minSamples, maxSamples, threads } = this.shape;
    const drawn = this.#drawn;
    const wanted = minSamples + random.below(maxSamples - minSamples + 1);
    this.#rowOf.clear();
    drawn.length = 0;
    // A bound for shapes with fewer stacks than rows.
    for (let hits = 0; drawn.length < wanted && hits < wanted * 50; hits++) {
      const stack = zipf.draw(random);
      const thread = threads === 0 ? 0 : 1 + random.below(threads);
      const key = stack * 256 + thread;
      const known = this.#rowOf.get(key);
      if (known !== undefined) {
        drawn.count[known] = (drawn.count[known] ?? 0) + 1;
        continue;
      }
      const row = drawn.length++;
      this.#rowOf.set(key, row);
      drawn.stack[row] = stack;
      drawn.thread[row] = thread;
      drawn.count[row] = 1;
    }
    return drawn;
  }

  #writer(model: ServiceModel, service: number, version: number): PprofWriter {
    const key = service * 1000 + version;
    const known = this.#writers.get(key);
    if (known !== undefined) return known;
    const writer = new PprofWriter(model, binariesOf(this.shape.seed, service, version, model.name));
    this.#writers.set(key, writer);
    return writer;
  }
}

function serviceName(index: number): string {
  const name = serviceNames[index % serviceNames.length] ?? 'service';
  return index < serviceNames.length ? name : `${name}-${Math.floor(index / serviceNames.length)}`;
}

function binariesOf(seed: number, service: number, version: number, name: string): readonly Binary[] {
  const id = (salt: number): string => new Random(seed * 65_537 + salt).text(hex, 40);
  return [
    // A new version is another binary: what is in it lies elsewhere.
    {
      file: `/usr/local/bin/${name}`,
      buildId: id(service * 100 + version + 3),
      start: 0x40_0000 + version * 0x5000,
      startHigh: 0,
      bytes: 1 << 24,
    },
    { file: '/usr/lib/x86_64-linux-gnu/libc.so.6', buildId: id(1), start: 0x2_6000, startHigh: 0, bytes: 1 << 21 },
    { file: '[kernel.kallsyms]', buildId: id(2), start: 0x8100_0000, startHigh: 0xffff_ffff, bytes: 1 << 25 },
  ];
}
