import type { FunctionNames, SideCounts } from '../counts/side-counts.ts';
import { Random } from './random.ts';

/**
 * `plain`: 600 functions of 0.02–3 % share (log-uniform), inclusive counts independent of each other, equal hosts, Gaussian log noise: a persistent
 * host effect of sd 0.3, host × window noise of sd 0.08.
 * `hard`: a call tree (main → 60 handlers → 10 leaves each) whose shares sum to 1; noise with the tails of Student's t with 4 degrees of freedom, half
 * of it shared by the functions of a handler; hosts of unequal size (log-normal, sd 0.7) and load that differs between windows; a daily
 * cycle of ± 10 % per handler.
 */
export type FleetModel = 'plain' | 'hard';

export interface FleetOptions {
  readonly model: FleetModel;
  readonly hosts: number;
  readonly seed: number;
  /** Samples of a typical host in a window. Default 40,000. */
  readonly samples?: number;
  /** sd of a shock that hits a function on all hosts of a window alike. Default 0. */
  readonly shockSd?: number;
}

/** A window of time on some of the hosts. */
export interface WindowOptions {
  readonly version: string;
  /** First host and the one after the last; default all. */
  readonly hosts?: readonly [first: number, end: number];
  /** Windows of the same id share their shocks. */
  readonly window: number;
  /** For the daily cycle. */
  readonly hour?: number;
  /** Factor on the cost of a leaf (a function, in the plain model), by id; 1 where it is not there. */
  readonly factor?: ReadonlyMap<number, number>;
  /** Moves this part of the samples of one leaf to another of the same handler, on every host (hard model). */
  readonly move?: { readonly from: number; readonly to: number; readonly part: number };
  /** Factor on the work done: scales samples, not shares. Default 1. */
  readonly load?: number;
}

const HANDLERS = 60;
const LEAVES = 600;
const WINDOW_SECONDS = 600;
const HOST_SD = 0.3;
const NOISE_SD = 0.08;
const CYCLE = 0.1;

export class SimulatedFleet {
  readonly options: FleetOptions;
  readonly names: FunctionNames;
  /** Ids of the functions whose cost `factor` may change. */
  readonly leaves: readonly number[];
  /** Share of each leaf before normalisation; only ratios count in the hard model. */
  readonly share: Float64Array;
  readonly #random: Random;
  readonly #hostEffect: Float64Array;
  readonly #hostSize: Float64Array;
  readonly #phase: Float64Array;
  readonly #first: number;

  constructor(options: FleetOptions) {
    this.options = options;
    const random = new Random(options.seed);
    this.#random = random;
    const hard = options.model === 'hard';
    this.#first = hard ? 1 + HANDLERS : 0;
    this.leaves = Array.from({ length: LEAVES }, (_, leaf) => this.#first + leaf);
    this.share = Float64Array.from({ length: LEAVES }, () => 0.0002 * 150 ** random.uniform());
    const name = this.leaves.map((_, leaf) => `leaf${leaf}`);
    const file = this.leaves.map((_, leaf) => `file${Math.floor(leaf / 5)}.ts`);
    if (hard) {
      const handlers = Array.from({ length: HANDLERS }, (_, handler) => `handler${handler}`);
      name.unshift('main', ...handlers);
      file.unshift('main.ts', ...handlers.map((handler) => `${handler}.ts`));
    }
    this.names = { name, file };
    this.#hostEffect = Float64Array.from({ length: options.hosts * LEAVES }, () => HOST_SD * random.normal());
    this.#hostSize = Float64Array.from({ length: options.hosts }, () => (hard ? Math.exp(0.7 * random.normal()) : 1));
    this.#phase = Float64Array.from({ length: HANDLERS }, () => 2 * Math.PI * random.uniform());
  }

  /** Function id of the handler of a leaf, in the hard model. */
  handlerOf(leafId: number): number {
    return 1 + Math.floor((leafId - this.#first) / (LEAVES / HANDLERS));
  }

  draw(window: WindowOptions): SideCounts {
    const [first, end] = window.hosts ?? [0, this.options.hosts];
    const shock = this.#shock(window.window);
    const functions = this.names.name.length;
    const hosts = end - first;
    const self = new Float64Array(functions * hosts);
    const inclusive = new Float64Array(functions * hosts);
    const samples = new Float64Array(hosts);
    for (let h = 0; h < hosts; h++) {
      samples[h] =
        this.options.model === 'plain'
          ? this.#drawPlain(window, shock, first + h, h, hosts, self, inclusive)
          : this.#drawHard(window, shock, first + h, h, hosts, self, inclusive);
    }
    return columnsOf(window.version, first, hosts, functions, samples, self, inclusive);
  }

  #drawPlain(
    window: WindowOptions,
    shock: Float64Array,
    host: number,
    h: number,
    hosts: number,
    self: Float64Array,
    inclusive: Float64Array,
  ): number {
    const random = this.#random;
    const samples = Math.round((this.options.samples ?? 40_000) * (window.load ?? 1));
    for (let leaf = 0; leaf < LEAVES; leaf++) {
      const log = (this.#hostEffect[host * LEAVES + leaf] ?? 0) + NOISE_SD * random.normal() + (shock[leaf] ?? 0);
      const mean = samples * (this.share[leaf] ?? 0) * (window.factor?.get(leaf) ?? 1) * Math.exp(log);
      const count = Math.min(random.poisson(mean), samples);
      inclusive[leaf * hosts + h] = count;
      // A fifth is the function's own, so that self counts stay below all samples: the shares sum to about 3.6.
      self[leaf * hosts + h] = Math.floor(count / 5 + random.uniform());
    }
    return samples;
  }

  #drawHard(
    window: WindowOptions,
    shock: Float64Array,
    host: number,
    h: number,
    hosts: number,
    self: Float64Array,
    inclusive: Float64Array,
  ): number {
    const random = this.#random;
    const each = NOISE_SD / Math.SQRT2;
    const hour = window.hour ?? 0;
    const load = (window.load ?? 1) * Math.exp(0.2 * random.normal());
    const size = (this.options.samples ?? 40_000) * (this.#hostSize[host] ?? 1) * load;
    const all = this.share.reduce((sum, value) => sum + value, 0);
    const leavesPerHandler = LEAVES / HANDLERS;
    let samples = 0;
    for (let handler = 0; handler < HANDLERS; handler++) {
      const shared = each * random.heavy(4) + CYCLE * Math.sin((2 * Math.PI * hour) / 24 + (this.#phase[handler] ?? 0));
      let ofHandler = 0;
      for (let i = 0; i < leavesPerHandler; i++) {
        const leaf = handler * leavesPerHandler + i;
        const id = this.#first + leaf;
        const log =
          (this.#hostEffect[host * LEAVES + leaf] ?? 0) + shared + each * random.heavy(4) + (shock[leaf] ?? 0);
        const mean = ((size * (this.share[leaf] ?? 0)) / all) * (window.factor?.get(id) ?? 1) * Math.exp(log);
        const count = random.poisson(mean);
        self[id * hosts + h] = count;
        inclusive[id * hosts + h] = count;
        ofHandler += count;
      }
      inclusive[(1 + handler) * hosts + h] = ofHandler;
      samples += ofHandler;
    }
    inclusive[h] = samples;
    if (window.move !== undefined) {
      const { from, to, part } = window.move;
      const moved = Math.round(part * (self[from * hosts + h] ?? 0));
      for (const counts of [self, inclusive]) {
        counts[from * hosts + h] = (counts[from * hosts + h] ?? 0) - moved;
        counts[to * hosts + h] = (counts[to * hosts + h] ?? 0) + moved;
      }
    }
    return samples;
  }

  /** The shocks of a window: the same whenever it is drawn, for treated hosts and controls. */
  #shock(window: number): Float64Array {
    const random = new Random(this.options.seed * 7919 + window * 104_729 + 1);
    const sd = this.options.shockSd ?? 0;
    return Float64Array.from({ length: LEAVES }, () => sd * random.normal());
  }
}

/** Dense function-major matrices as the columns of `SideCounts`. */
function columnsOf(
  version: string,
  first: number,
  hosts: number,
  functions: number,
  samples: Float64Array,
  self: Float64Array,
  inclusive: Float64Array,
): SideCounts {
  const functionStart = new Uint32Array(functions + 1);
  const cells: number[] = [];
  for (let f = 0; f < functions; f++) {
    for (let h = 0; h < hosts; h++) if (inclusive[f * hosts + h] !== 0) cells.push(f * hosts + h);
    functionStart[f + 1] = cells.length;
  }
  return {
    version,
    unitNames: Array.from({ length: hosts }, (_, h) => `host${first + h}`),
    unitSamples: samples,
    unitSeconds: new Float64Array(hosts).fill(WINDOW_SECONDS),
    unitRequests: null,
    secondsPerSample: 1 / 99,
    functionStart,
    cellUnit: Uint32Array.from(cells, (cell) => cell % hosts),
    cellSelf: Uint32Array.from(cells, (cell) => self[cell] ?? 0),
    cellInclusive: Uint32Array.from(cells, (cell) => inclusive[cell] ?? 0),
  };
}
