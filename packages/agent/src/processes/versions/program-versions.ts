import { readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { asResult } from '@everflame/binary';
import type { LossCounters } from '../../health/counters.ts';
import type { ProcessMapping, ProcessView } from '../process.ts';
import { type Program, programOf } from './command-line.ts';
import { readVersionOfContainer, readVersionOfProgram, type VersionSubject } from './read-version.ts';
import { expected } from './root-files.ts';
import type { FoundVersion } from './version.ts';

/** A version that is known or being read. Processes of one program share it. */
export interface VersionTicket {
  readonly key: string;
  /** Of the program that it was read for, where that is compiled code: a child of this name with another ticket is another build of it. '' for others. */
  readonly executableName: string;
  /** Its program only starts others: they are asked themselves. */
  readonly isLauncher: boolean;
}

/** For processes that say their version themselves, and for kernel threads. */
export const noTicket: VersionTicket = { key: '', executableName: '', isLauncher: true };

/** Where the reading stands. */
interface Reading {
  readonly done: Promise<void>;
  readonly askedMs: number;
  isDone: boolean;
  isLate: boolean;
  /** Undefined also once it is known that there is none. */
  found: FoundVersion | undefined;
}

/** What was read beside a script may be another deployment a moment later; the build ID of an executable says what it is for good. */
const scriptMemoryMs = 2000;
const mostTickets = 8192;
const mostContainers = 2048;
/** Reads at a time: each may hang in a file system of somebody's own, and holds one of Node's four threads then. */
const lanes = 2;
const mostWaiting = 2048;
const defaultPatienceMs = 10_000;
/** A command line may have megabytes; its beginning says what runs. */
const mostCommandLineBytes = 16 * 1024;

/**
 * Versions of programs by what lies beside them: read once for each container and executable, away from the thread that samples. A read that hangs costs a
 * lane until it ends; until then its program has no version, which is counted as `reads_failed`/`version`.
 */
export class ProgramVersions {
  readonly #procRoot: string;
  readonly #losses: LossCounters | undefined;
  readonly #nowMs: () => number;
  readonly #patienceMs: number;
  readonly #tickets = new Map<string, { readonly ticket: VersionTicket; readonly untilMs: number }>();
  readonly #containers = new Map<string, Promise<FoundVersion | undefined>>();
  readonly #readings = new WeakMap<VersionTicket, Reading>();
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(options: {
    readonly procRoot: string;
    readonly losses?: LossCounters | undefined;
    readonly nowMs?: (() => number) | undefined;
    readonly patienceMs?: number | undefined;
  }) {
    this.#procRoot = options.procRoot;
    this.#losses = options.losses;
    this.#nowMs = options.nowMs ?? (() => performance.now());
    this.#patienceMs = options.patienceMs ?? defaultPatienceMs;
  }

  /**
   * The version of a process. For the executables that most processes are, it costs a look into a map; for a script its command line is read.
   * `isThere`: /proc/PID is still this process.
   */
  ticketOf(process: ProcessView, containerId: string, isThere: boolean): VersionTicket {
    const { pid, executableName, executablePath } = process;
    const kind = programOf(executableName, []).kind;
    const isSource = isThere && (kind === 'script' || kind === 'jar');
    const args = isSource ? this.#commandLine(pid) : [];
    const program = programOf(executableName, args);
    const executable = process.mappings.find(({ path }) => path === executablePath);
    const buildId = executable?.buildId ?? '';
    const key = `${containerId}\0${this.#keyOf(process, program, executable, isThere)}`;
    const nowMs = this.#nowMs();
    const known = this.#tickets.get(key);
    if (known !== undefined && nowMs < known.untilMs) return known.ticket;
    const subject = {
      procRoot: this.#procRoot,
      pid,
      containerId,
      program,
      interpreter: args[0] ?? '',
      executableName,
      executablePath,
      buildId,
    };
    const ticket = {
      key,
      executableName: program.kind === 'native' ? executableName : '',
      isLauncher: program.kind === 'launcher',
    };
    this.#begin(ticket, subject);
    // A process that is gone could not be read as those that come after it can.
    const isLasting = isThere && (program.kind === 'launcher' || (program.kind === 'native' && buildId !== ''));
    const [oldest] = this.#tickets.size >= mostTickets ? this.#tickets.keys() : [];
    if (oldest !== undefined) this.#tickets.delete(oldest);
    this.#tickets.delete(key);
    this.#tickets.set(key, { ticket, untilMs: isLasting ? Infinity : nowMs + scriptMemoryMs });
    return ticket;
  }

  /** What was found; waits for it once, for as long as shipping may wait, and from then on answers what there is. Never rejects. */
  async versionOf(ticket: VersionTicket): Promise<FoundVersion | undefined> {
    const reading = this.#readings.get(ticket);
    if (reading === undefined) return undefined;
    if (!reading.isDone && !reading.isLate) {
      const leftMs = reading.askedMs + this.#patienceMs - performance.now();
      const patience = new AbortController();
      const timer = sleep(Math.max(leftMs, 0), undefined, { ref: false, signal: patience.signal });
      // Both ends are fine: the other one of the two is waited for.
      await Promise.race([reading.done, timer.catch(() => undefined)]);
      patience.abort();
      this.#noteLate(reading);
    }
    return reading.found;
  }

  #noteLate(reading: Reading): void {
    if (reading.isDone || reading.isLate) return;
    reading.isLate = true;
    this.#losses?.add('reads_failed', 'version');
  }

  #begin(ticket: VersionTicket, subject: VersionSubject): void {
    const { promise: done, resolve } = Promise.withResolvers<void>();
    const reading: Reading = { done, askedMs: performance.now(), isDone: false, isLate: false, found: undefined };
    this.#readings.set(ticket, reading);
    const end = (found: FoundVersion | undefined): void => {
      reading.found = found;
      reading.isDone = true;
      resolve();
    };
    this.#read(subject).then(end, () => {
      // What is read was written by those that are profiled: whatever it does to a reader costs it its version and nobody else anything.
      this.#losses?.add('reads_failed', 'version');
      end(undefined);
    });
  }

  #keyOf(
    { pid, executablePath }: ProcessView,
    program: Program,
    executable: ProcessMapping | undefined,
    isThere: boolean,
  ): string {
    if (program.kind === 'launcher') return 'launcher';
    const { buildId = '', device = '', inode = 0n } = executable ?? {};
    if (program.kind === 'native' && buildId !== '') return buildId;
    const link = (name: string): string => {
      const read = isThere ? asResult(() => readlinkSync(`${this.#procRoot}/${pid}/${name}`)) : undefined;
      return read?.ok === true ? read.value : '';
    };
    return JSON.stringify([program, executablePath, buildId, `${device}:${inode}`, link('ns/mnt'), link('cwd')]);
  }

  #commandLine(pid: number): string[] {
    const read = asResult(() => readFileSync(`${this.#procRoot}/${pid}/cmdline`, 'utf8'));
    return read.ok ? read.value.slice(0, mostCommandLineBytes).split('\0') : [];
  }

  async #read(subject: VersionSubject): Promise<FoundVersion | undefined> {
    const ofContainer = subject.containerId === '' ? undefined : await this.#ofContainer(subject);
    if (ofContainer !== undefined || subject.program.kind === 'launcher') return ofContainer;
    return this.#inLane(async () => readVersionOfProgram(subject));
  }

  /** Containers do not change: the first process that is read tells for all. */
  #ofContainer(subject: VersionSubject): Promise<FoundVersion | undefined> {
    const { containerId } = subject;
    const known = this.#containers.get(containerId);
    if (known !== undefined) return known;
    const version = this.#inLane(async () => readVersionOfContainer(subject));
    const [oldest] = this.#containers.size >= mostContainers ? this.#containers.keys() : [];
    if (oldest !== undefined) this.#containers.delete(oldest);
    this.#containers.set(containerId, version);
    return version;
  }

  async #inLane(read: () => Promise<FoundVersion | undefined>): Promise<FoundVersion | undefined> {
    if (this.#running >= lanes) {
      if (this.#waiting.length >= mostWaiting) throw new Error('too many programs wait to be read');
      await new Promise<void>((resolve) => void this.#waiting.push(resolve));
    } else {
      this.#running++;
    }
    try {
      return await expected(read());
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }
}
