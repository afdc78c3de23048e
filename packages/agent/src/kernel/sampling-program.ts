import { readFileSync } from 'node:fs';
import { arch } from 'node:os';

import {
  copyBytes,
  counterNoScratch,
  counterRingFull,
  counters,
  counterSampled,
  counterTailCallFailed,
  maxCopyBytes,
  maxKernelFrames,
  maxUserFrames,
  sampleBytes,
} from './generated/abi.ts';
import { SystemError } from './libc.ts';
import { type Libbpf, loadLibbpf, type Pointer } from './libbpf.ts';
import { SampleRing } from './sample-ring.ts';

/** The kernel refused the program; the message holds what libbpf and the verifier said. */
export class ProgramRefused extends Error {
  override readonly name = 'ProgramRefused';
}

/** Totals since loading, summed over CPUs. */
export interface ProgramCounters {
  readonly sampled: number;
  readonly ringFull: number;
  readonly noScratch: number;
  readonly tailCallFailed: number;
}

/**
 * How the program is made to fit the kernel, best first; each is tried until one loads. `hasLoop`: bpf_loop, from 5.17 on, else the program calls
 * itself; `growsHash`: a hash that is not allocated before, which programs in interrupts may use from 6.1 on.
 */
export interface ProgramShape {
  readonly hasLoop: boolean;
  readonly growsHash: boolean;
}

const shapes: readonly ProgramShape[] = [
  { hasLoop: true, growsHash: true },
  { hasLoop: true, growsHash: false },
  { hasLoop: false, growsHash: false },
];

const smallestRing = 1 << 22;
const largestRing = 1 << 24;
/** Seconds of deep stacks that the ring has room for; it is emptied ten times a second. */
const ringSeconds = 0.3;

/** See bpf/maps.h. A power of two and so a multiple of the page size, as ringbuf asks. */
export function ringBytesFor(frequencyHz: number, cpus: number): number {
  const frames = sampleBytes + (maxKernelFrames + maxUserFrames) * 8;
  const copy = sampleBytes + maxKernelFrames * 8 + copyBytes + maxCopyBytes / 2;
  const worst = ringSeconds * frequencyHz * cpus * (frames + copy);
  let bytes = smallestRing;
  while (bytes < worst && bytes < largestRing) bytes *= 2;
  return bytes;
}

/** The committed object for this machine's architecture (scripts/check-bpf.mjs makes it). */
function readObject(): Uint8Array {
  const architecture = arch() === 'arm64' ? 'aarch64' : 'x86_64';
  return readFileSync(new URL(`../../../../bpf/build/sample.${architecture}.bpf.o`, import.meta.url));
}

/** bpf/sample.bpf.c, loaded. Everything that the kernel holds for it goes with `close`, or with this process. */
export class SamplingProgram {
  readonly shape: ProgramShape;
  readonly ring: SampleRing;
  /** Maps of bpf/maps.h. */
  readonly processesFd: number;
  readonly pythonsFd: number;
  readonly tablesFd: number;
  readonly #libbpf: Libbpf;
  readonly #object: Pointer;
  readonly #program: Pointer;
  readonly #countersFd: number;
  readonly #values: BigUint64Array;

  /** `wanted` leaves out shapes that would do, for tests. Throws LibbpfMissing, ProgramRefused, SystemError. */
  constructor(ringBytes: number, wanted: readonly ProgramShape[] = shapes) {
    const libbpf = loadLibbpf();
    this.#libbpf = libbpf;
    const { object, shape } = load(libbpf, ringBytes, wanted);
    this.#object = object;
    this.shape = shape;
    const fdOf = (map: string): number => libbpf.mapFd(libbpf.findMap(object, map));
    try {
      this.#program = libbpf.findProgram(object, shape.hasLoop ? 'sample' : 'sample_by_calls');
      this.#countersFd = fdOf('counters');
      this.processesFd = fdOf('processes');
      this.pythonsFd = fdOf('pythons');
      this.tablesFd = fdOf('tables');
      if (!shape.hasLoop) {
        const called = Uint32Array.of(libbpf.programFd(libbpf.findProgram(object, 'walk_by_calls')));
        libbpf.update(fdOf('programs'), new Uint8Array(4), new Uint8Array(called.buffer));
      }
      this.#values = new BigUint64Array(libbpf.possibleCpus());
      this.ring = new SampleRing(fdOf('samples'), ringBytes);
    } catch (error) {
      libbpf.closeObject(object);
      throw error;
    }
  }

  /** Runs the program at each event of `perfFd` until the link is detached; the link owns the descriptor. */
  attach(perfFd: number): Pointer {
    return this.#libbpf.attachPerfEvent(this.#program, perfFd);
  }

  detach(link: Pointer): void {
    this.#libbpf.destroyLink(link);
  }

  counters(): ProgramCounters {
    const key = new Uint32Array(1);
    const total = (index: number): number => {
      if (index >= counters) throw new Error(`counter ${index} is not in bpf/abi.h`);
      key[0] = index;
      this.#libbpf.lookup(this.#countersFd, new Uint8Array(key.buffer), new Uint8Array(this.#values.buffer));
      return Number(this.#values.reduce((sum, value) => sum + value, 0n));
    };
    return {
      sampled: total(counterSampled),
      ringFull: total(counterRingFull),
      noScratch: total(counterNoScratch),
      tailCallFailed: total(counterTailCallFailed),
    };
  }

  close(): void {
    this.ring.close();
    this.#libbpf.closeObject(this.#object);
  }
}

/** Loads the first shape that the kernel takes. */
function load(
  libbpf: Libbpf,
  ringBytes: number,
  wanted: readonly ProgramShape[],
): { readonly object: Pointer; readonly shape: ProgramShape } {
  libbpf.takeLog();
  let refused: SystemError | undefined;
  for (const shape of wanted) {
    const object = libbpf.openObject(readObject());
    try {
      libbpf.setMaxEntries(libbpf.findMap(object, 'samples'), ringBytes);
      for (const map of ['scratches', 'kept_stacks']) {
        libbpf.setMaxEntries(libbpf.findMap(object, map), libbpf.possibleCpus());
      }
      if (!shape.growsHash) libbpf.setMapFlags(libbpf.findMap(object, 'processes'), 0);
      const programs = shape.hasLoop ? ['sample'] : ['sample_by_calls', 'walk_by_calls'];
      for (const name of programs) libbpf.setAutoload(libbpf.findProgram(object, name), true);
      libbpf.loadObject(object);
      return { object, shape };
    } catch (error) {
      libbpf.closeObject(object);
      if (!(error instanceof SystemError)) throw error;
      refused = error;
      // No other shape changes what we may do.
      if (error.code === 'EPERM') break;
    }
  }
  throw new ProgramRefused(`${refused?.message ?? 'no shape'}\n${libbpf.takeLog()}`.trim(), { cause: refused });
}
