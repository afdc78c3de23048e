import { closeFd, ioctl, perfEventOpen, SystemError } from './libc.ts';
import type { Pointer } from './libbpf.ts';
import { readOnlineCpus } from './online-cpus.ts';
import { cpuClockAttr, recordsAttr } from './perf-attr.ts';
import { PerfRing } from './perf-ring.ts';
import { type ProgramCounters, type ProgramShape, ringBytesFor, SamplingProgram } from './sampling-program.ts';

/** _IO('$', 0) */
const perfEventIocEnable = 0x2400;

/**
 * 512 KB of records per CPU, 256 KB above 16 CPUs (16 MB on 64). A process brings about 15 records of 100 to 200 bytes, so
 * half a megabyte is 200 processes per drain and CPU: 2,000 a second on each CPU.
 */
const recordPages = (cpus: number): number => (cpus > 16 ? 64 : 128);

interface CpuRecords {
  readonly fd: number;
  readonly ring: PerfRing;
}

/**
 * Everything that comes out of the kernel: records of processes and samples, from every online CPU, also from those that
 * come later. Not thread-safe; `readRecords` and `readSamples` must be called often enough for the rings to have room.
 */
export class KernelSource {
  readonly #frequencyHz: number;
  readonly #program: SamplingProgram;
  readonly #records = new Map<number, CpuRecords>();
  readonly #links = new Map<number, Pointer>();
  #withBuildId = true;
  #isSampling = false;

  /** Loads the program and opens the records, which are collected from here on; samples wait for `startSampling`. Throws LibbpfMissing, ProgramRefused, SystemError. */
  constructor(frequencyHz: number, shapes?: readonly ProgramShape[]) {
    const cpus = readOnlineCpus();
    this.#frequencyHz = frequencyHz;
    this.#program = new SamplingProgram(ringBytesFor(frequencyHz, cpus.length), shapes);
    try {
      for (const cpu of cpus) this.#openRecords(cpu, cpus.length);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Throws SystemError. */
  startSampling(): void {
    this.#isSampling = true;
    for (const cpu of this.#records.keys()) this.#openClock(cpu);
  }

  stopSampling(): void {
    this.#isSampling = false;
    for (const link of this.#links.values()) this.#program.detach(link);
    this.#links.clear();
  }

  /** CPUs that are sampled now. */
  get cpus(): readonly number[] {
    return [...this.#links.keys()];
  }

  /**
   * Takes up CPUs that have come online and drops those that went. Call `readRecords` before, so that nothing of a CPU that
   * went is left unread. Answers the CPUs that could not be opened, with the reason.
   */
  refreshCpus(): readonly { readonly cpu: number; readonly error: SystemError }[] {
    const online = readOnlineCpus();
    const failed: { cpu: number; error: SystemError }[] = [];
    for (const cpu of this.#records.keys()) if (!online.includes(cpu)) this.#dropCpu(cpu);
    for (const cpu of online) {
      if (this.#records.has(cpu)) continue;
      try {
        this.#openRecords(cpu, online.length);
        if (this.#isSampling) this.#openClock(cpu);
      } catch (error) {
        if (!(error instanceof SystemError)) throw error;
        // Gone again between the list and the opening, or refused: the next refresh tries anew.
        this.#dropCpu(cpu);
        failed.push({ cpu, error });
      }
    }
    return failed;
  }

  /** See `PerfRing.read`; CPU after CPU, so in order of time only within a CPU. */
  readRecords(take: (view: DataView, offset: number, size: number) => void): void {
    for (const { ring } of this.#records.values()) ring.read(take);
  }

  get samples(): SamplingProgram['ring'] {
    return this.#program.ring;
  }

  /** Descriptors of the maps by which the program unwinds, see bpf/maps.h. */
  get maps(): Pick<SamplingProgram, 'processesFd' | 'pythonsFd' | 'tablesFd'> {
    return this.#program;
  }

  get hasLoop(): boolean {
    return this.#program.shape.hasLoop;
  }

  counters(): ProgramCounters {
    return this.#program.counters();
  }

  close(): void {
    this.stopSampling();
    for (const cpu of this.#records.keys()) this.#dropCpu(cpu);
    this.#program.close();
  }

  #openRecords(cpu: number, cpus: number): void {
    const fd = this.#openRecordsFd(cpu);
    try {
      const ring = new PerfRing(fd, recordPages(cpus));
      this.#records.set(cpu, { fd, ring });
      ioctl('PERF_EVENT_IOC_ENABLE', fd, perfEventIocEnable, 0);
    } catch (error) {
      if (!this.#records.has(cpu)) closeFd(fd);
      throw error;
    }
  }

  #openRecordsFd(cpu: number): number {
    try {
      return perfEventOpen(recordsAttr(this.#withBuildId), cpu);
    } catch (error) {
      if (!(error instanceof SystemError) || error.code !== 'EINVAL' || !this.#withBuildId) throw error;
      // Before 5.12 the flag is unknown: device and inode come instead.
      this.#withBuildId = false;
      return perfEventOpen(recordsAttr(false), cpu);
    }
  }

  #openClock(cpu: number): void {
    const fd = perfEventOpen(cpuClockAttr(this.#frequencyHz), cpu);
    try {
      this.#links.set(cpu, this.#program.attach(fd));
    } catch (error) {
      closeFd(fd);
      throw error;
    }
  }

  #dropCpu(cpu: number): void {
    const link = this.#links.get(cpu);
    if (link !== undefined) this.#program.detach(link);
    this.#links.delete(cpu);
    const records = this.#records.get(cpu);
    if (records === undefined) return;
    records.ring.close();
    closeFd(records.fd);
    this.#records.delete(cpu);
  }
}
