import { readFileSync } from 'node:fs';
import { arch } from 'node:os';

import {
  counterNoScratch,
  counterRingFull,
  counterSampled,
  counters,
  maxFrames,
  sampleBytes,
} from './generated/abi.ts';
import { SystemError } from './libc.ts';
import { loadLibbpf, type Libbpf, type Pointer } from './libbpf.ts';
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
}

const smallestRing = 1 << 20;
const largestRing = 1 << 24;

/** Two seconds of the deepest stacks; see bpf/maps.h. A power of two and so a multiple of the page size, as ringbuf asks. */
export function ringBytesFor(frequencyHz: number, cpus: number): number {
  const worst = 2 * frequencyHz * cpus * (sampleBytes + 2 * maxFrames * 8);
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
  readonly ring: SampleRing;
  readonly #libbpf: Libbpf;
  readonly #object: Pointer;
  readonly #program: Pointer;
  readonly #countersFd: number;
  readonly #values: BigUint64Array;

  /** Throws LibbpfMissing, ProgramRefused, SystemError. */
  constructor(ringBytes: number) {
    const libbpf = loadLibbpf();
    libbpf.takeLog();
    this.#libbpf = libbpf;
    this.#object = libbpf.openObject(readObject());
    try {
      libbpf.setMaxEntries(libbpf.findMap(this.#object, 'samples'), ringBytes);
      libbpf.loadObject(this.#object);
      this.#program = libbpf.findProgram(this.#object, 'sample');
      this.#countersFd = libbpf.mapFd(libbpf.findMap(this.#object, 'counters'));
      this.#values = new BigUint64Array(libbpf.possibleCpus());
      this.ring = new SampleRing(libbpf.mapFd(libbpf.findMap(this.#object, 'samples')), ringBytes);
    } catch (error) {
      libbpf.closeObject(this.#object);
      if (!(error instanceof SystemError)) throw error;
      throw new ProgramRefused(`${error.message}\n${libbpf.takeLog()}`.trim(), { cause: error });
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
    };
  }

  close(): void {
    this.ring.close();
    this.#libbpf.closeObject(this.#object);
  }
}
