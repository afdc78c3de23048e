import type { V8Code, V8Symbols } from '@everflame/binary';
import type { LossCounters } from '../health/counters.ts';
import { findMapping } from '../processes/mapping-list.ts';
import type { ProcessMapping, ProcessView } from '../processes/process.ts';
import { targetOfMapping } from '../symbols/mapping-target.ts';
import type { ResolvedLocation } from '../symbols/symbolizer.ts';
import { readNote } from './frame-note.ts';
import { isV8Glue, v8Locations } from './v8/v8-locations.ts';
import { ProcessMemory, ReadBudget } from './process-memory.ts';
import { makeV8Layout, type V8Layout } from './v8/v8-layout.ts';
import { type V8Frame, V8Process } from './v8/v8-process.ts';

/** A runtime that was found in a program, and how it is to be read. */
export interface Runtime {
  readonly kind: 'v8';
  readonly layout: V8Layout;
}

/** A process that runs one. */
interface RuntimeProcess {
  readonly runtime: Runtime;
  readonly memory: ProcessMemory;
  readonly v8: V8Process;
  /** What frames have turned out to be, by address and note; those of before are kept once more. */
  frames: Map<string, V8Frame | undefined>;
  before: Map<string, V8Frame | undefined>;
  readonly seenMs: number;
}

/** Descriptors that are open at a time. Those of processes that have not been sampled for long are closed first. */
const mostProcesses = 256;
/** Frames of one process that are remembered, twice: some 100 bytes each. */
const mostFrames = 16_384;
/** For so long a process is new: much of what it runs is seen for the first time, and it may end at any time. */
const youngMs = 1500;

/** Knows which processes run which runtime, and what their frames are. */
export class Runtimes {
  readonly #losses: LossCounters;
  readonly #layouts = new WeakMap<V8Symbols, Runtime | 'unknown'>();
  readonly #processes = new Map<string, RuntimeProcess>();
  readonly #budget = new ReadBudget();
  #youngUntilMs = 0;

  constructor(losses: LossCounters) {
    this.#losses = losses;
  }

  /** The runtime that a program's symbols tell of; undefined where it is one that is not known. Counted once for each program. */
  runtimeOf(symbols: V8Symbols): Runtime | undefined {
    let runtime = this.#layouts.get(symbols);
    if (runtime === undefined) {
      const layout = makeV8Layout(symbols);
      runtime = typeof layout === 'string' ? 'unknown' : { kind: 'v8', layout };
      if (runtime === 'unknown') this.#losses.add('runtimes_unknown', 'v8_layout');
      this.#layouts.set(symbols, runtime);
    }
    return runtime === 'unknown' ? undefined : runtime;
  }

  /** What the unwinder of copied stacks needs to know of code of `process`'s runtime. */
  codeOf(process: ProcessView, runtime: Runtime, holdsBuiltins: boolean): V8Code | undefined {
    const known = this.#process(process, runtime);
    return known === undefined
      ? undefined
      : { sharedOffset: runtime.layout.functionShared, holdsBuiltins, memory: known.memory };
  }

  /** New processes are looked at more often. */
  get hasYoung(): boolean {
    return performance.now() < this.#youngUntilMs;
  }

  /** A frame with a note has come: finds out what it is, while the process lives and its objects have not moved. */
  see(process: ProcessView, pc: number, low: number, high: number): void {
    const known = this.#processes.get(keyOf(process));
    if (known === undefined) return;
    const key = frameKey(pc, low, high);
    const frame = readFrame(known.v8, findMapping(process.mappings, BigInt(pc)), pc, low, high);
    // What was found before stays when it cannot be read any more.
    if (frame === undefined && (known.frames.has(key) || known.before.has(key))) return;
    if (known.memory.isExhausted) this.#losses.add('frames_unnamed', 'budget');
    if (known.frames.size >= mostFrames) {
      known.before = known.frames;
      known.frames = new Map();
    }
    known.frames.set(key, frame);
  }

  /** Call it before the frames of a drain are seen: memory may have changed since the last one. */
  refresh(): void {
    this.#budget.reads = 0;
    for (const { memory } of this.#processes.values()) memory.refresh();
  }

  /**
   * What a frame with a note shows, innermost first, in place of `native`, which is what is known of its address alone. Empty where it is
   * the runtime's own.
   */
  locations(
    process: ProcessView,
    pc: number,
    note: { readonly low: number; readonly high: number },
    native: ResolvedLocation,
  ): readonly ResolvedLocation[] {
    const known = this.#processes.get(keyOf(process));
    const key = frameKey(pc, note.low, note.high);
    let frame = known?.frames.get(key) ?? known?.before.get(key);
    // What was not known when it was seen may have been told by a later frame, or was being written just then.
    if (known !== undefined && !isWhole(frame)) {
      known.memory.refresh();
      frame = readFrame(known.v8, findMapping(process.mappings, BigInt(pc)), pc, note.low, note.high) ?? frame;
    }
    return v8Locations(frame, native);
  }

  /** Is it a frame that is the runtime's own, as one that the note-less frames of a process may be? */
  isGlue(location: ResolvedLocation): boolean {
    return isV8Glue(location);
  }

  /** A process has ended, and its last frames are named. */
  forget(process: ProcessView): void {
    const key = keyOf(process);
    this.#processes.get(key)?.memory.close();
    this.#processes.delete(key);
  }

  close(): void {
    for (const { memory } of this.#processes.values()) memory.close();
    this.#processes.clear();
  }

  #process(process: ProcessView, runtime: Runtime): RuntimeProcess | undefined {
    const key = keyOf(process);
    const known = this.#processes.get(key);
    if (known !== undefined) return known;
    const memory = ProcessMemory.open(process.pid, this.#budget);
    if (memory === undefined) {
      this.#losses.add('frames_unnamed', 'process_gone');
      return undefined;
    }
    for (const [oldest, { memory: its }] of this.#processes) {
      if (this.#processes.size < mostProcesses) break;
      its.close();
      this.#processes.delete(oldest);
    }
    const v8 = new V8Process(runtime.layout, memory);
    const seenMs = performance.now();
    const made: RuntimeProcess = { runtime, memory, v8, frames: new Map(), before: new Map(), seenMs };
    this.#processes.set(key, made);
    this.#youngUntilMs = seenMs + youngMs;
    return made;
  }
}

/** A program that is executed in place of another has another address space, so another descriptor. */
function keyOf({ pid, startTimeNs, executablePath }: ProcessView): string {
  return `${pid}:${startTimeNs}:${executablePath}`;
}

function isWhole(frame: V8Frame | undefined): boolean {
  return frame?.lines.every(({ function: { line } }) => line > 0) ?? false;
}

function frameKey(pc: number, low: number, high: number): string {
  return `${pc}.${high}.${low}`;
}

function readFrame(
  v8: V8Process,
  mapping: ProcessMapping | undefined,
  pc: number,
  low: number,
  high: number,
): V8Frame | undefined {
  if (mapping === undefined) return undefined;
  const { object, place } = readNote(low, high);
  const shared = object === 0 ? undefined : object + 1;
  if (targetOfMapping(mapping) === 'anonymous') return v8.compiled(pc, shared);
  // Builtins lie in the program's file.
  return shared === undefined ? undefined : v8.interpreted(shared, place);
}
