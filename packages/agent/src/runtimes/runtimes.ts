import { existsSync } from 'node:fs';
import type { PythonSymbols, V8Code, V8Symbols } from '@everflame/binary';
import type { LossCause, LossCounters } from '../health/counters.ts';
import { findMapping } from '../processes/mapping-list.ts';
import type { ProcessMapping, ProcessView } from '../processes/process.ts';
import type { ResolvedLocation } from '../symbols/symbolizer.ts';
import { readNote } from './frame-note.ts';
import type { FrameReader, ThreadLabel } from './frame-reader.ts';
import { FrameTable } from './frame-table.ts';
import { ProcessMemory, ReadBudget } from './process-memory.ts';
import { PythonFrameReader } from './python/python-frame-reader.ts';
import { makePythonLayout, type PythonLayout } from './python/python-layout.ts';
import { V8FrameReader } from './v8/v8-frame-reader.ts';
import { isV8Glue } from './v8/v8-locations.ts';
import { makeV8Layout, type V8Layout } from './v8/v8-layout.ts';

/** A runtime that was found in a program, and how it is to be read. */
export type Runtime =
  | { readonly kind: 'v8'; readonly layout: V8Layout }
  | { readonly kind: 'python'; readonly layout: PythonLayout };

/** What runtimes say of themselves in a program's symbols. */
export interface RuntimeSymbols {
  readonly v8: V8Symbols | undefined;
  readonly python: PythonSymbols | undefined;
}

/** A process that runs one. */
interface RuntimeProcess {
  readonly memory: ProcessMemory;
  readonly reader: FrameReader;
  /** What frames have turned out to be; those of before are kept once more. */
  frames: FrameTable;
  before: FrameTable;
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
  readonly #layouts = new WeakMap<V8Symbols | PythonSymbols, Runtime | 'unknown'>();
  readonly #processes = new Map<string, RuntimeProcess>();
  readonly #keys = new WeakMap<ProcessView, { readonly path: string; readonly key: string }>();
  readonly #budget = new ReadBudget();
  readonly #showsOwn: boolean;
  #youngUntilMs = 0;

  /** `showsOwn`: frames of interpreters themselves are shown, for who works on one; else they are the functions' that they run. */
  constructor(losses: LossCounters, showsOwn: boolean) {
    this.#losses = losses;
    this.#showsOwn = showsOwn;
  }

  /** The runtime that a program's symbols tell of; undefined where it is one that is not known. Counted once for each program. */
  runtimeOf({ v8, python }: RuntimeSymbols): Runtime | undefined {
    if (v8 !== undefined) {
      const make = (): Runtime | string => runtimeOr(makeV8Layout(v8), (layout) => ({ kind: 'v8', layout }));
      return this.#make(v8, 'v8_layout', make);
    }
    if (python === undefined) return undefined;
    const make = (): Runtime | string => runtimeOr(makePythonLayout(python), (layout) => ({ kind: 'python', layout }));
    return this.#make(python, 'python_layout', make);
  }

  /** What the unwinder of copied stacks needs to know of code of V8's in `process`. */
  codeOf(process: ProcessView, layout: V8Layout, holdsBuiltins: boolean): V8Code | undefined {
    const found = this.#process(process, (memory) => new V8FrameReader(layout, memory));
    return found === undefined
      ? undefined
      : { sharedOffset: layout.functionShared, holdsBuiltins, memory: found.memory };
  }

  /** `process` runs CPython, which `own` is a mapping of: answers its memory, undefined where it is gone. `bias`: address there - ELF virtual address. */
  meetPython(process: ProcessView, layout: PythonLayout, bias: number, own: ProcessMapping): ProcessMemory | undefined {
    return this.#process(process, (memory) => new PythonFrameReader(layout, bias, memory, own))?.memory;
  }

  /**
   * What the runtime of `process` calls a thread, which is known to be the one with that `threadPointer` only while it lives: `gone` where it does not any
   * more.
   */
  threadLabel(process: ProcessView, tid: number, threadPointer: number): ThreadLabel | 'gone' {
    const label = this.#processes.get(this.#keyOf(process))?.reader.readThread?.(threadPointer) ?? 'none';
    if (label === 'none' || existsSync(`/proc/${process.pid}/task/${tid}`)) return label;
    return 'gone';
  }

  /** So many calls of an interpreter's loop have no name. */
  miss(calls: number): void {
    if (calls > 0) this.#losses.add('frames_unnamed', 'copied', calls);
  }

  /** New processes are looked at more often. */
  get hasYoung(): boolean {
    return performance.now() < this.#youngUntilMs;
  }

  /** A frame with a note has come: finds out what it is, while the process lives and its objects have not moved. */
  see(process: ProcessView, pc: number, low: number, high: number): void {
    const known = this.#processes.get(this.#keyOf(process));
    if (known === undefined) return;
    const { memory } = known;
    // Most stacks of a drain share most of their frames.
    if (known.frames.isWhole(pc, low, high, memory.generation)) return;
    const note = readNote(low, high);
    const earlier = known.frames.get(pc, low, high);
    if (earlier?.isWhole === true && known.reader.isStill(earlier, note)) {
      known.frames.confirm(pc, low, high, memory.generation);
      return;
    }
    const frame = known.reader.read(findMapping(process.mappings, BigInt(pc)), pc, note);
    // What was found before stays when it cannot be read any more.
    if (frame === undefined && (known.frames.has(pc, low, high) || known.before.has(pc, low, high))) return;
    if (memory.isExhausted) {
      this.#losses.add('frames_unnamed', 'budget');
      // As much was read as is read at a time: what was whole says more than what could be read now.
      if (earlier?.isWhole === true) return;
    } else if (frame !== undefined && frame.unnamed > 0) this.#losses.add('frames_unnamed', 'inlined');
    if (known.frames.size >= mostFrames) {
      known.before = known.frames;
      known.frames = new FrameTable();
    }
    known.frames.set(pc, low, high, frame, memory.generation);
  }

  /** Call it before the frames of a drain are seen: memory may have changed since the last one. */
  refresh(): void {
    this.#budget.renew();
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
    const known = this.#processes.get(this.#keyOf(process));
    let frame = known?.frames.get(pc, note.low, note.high) ?? known?.before.get(pc, note.low, note.high);
    // What was not known when it was seen may have been told by a later frame, or was being written just then.
    if (known !== undefined && frame?.isWhole !== true) {
      known.memory.refresh();
      const mapping = findMapping(process.mappings, BigInt(pc));
      frame = known.reader.read(mapping, pc, readNote(note.low, note.high)) ?? frame;
    }
    const shown = frame?.show(native) ?? known?.reader.showUnread(native) ?? [native];
    // Code that a runtime has compiled lies in no file.
    const isFolded = native.mapping.file.startsWith('/') && !shown.includes(native);
    return this.#showsOwn && isFolded ? [native, ...shown] : shown;
  }

  /** Is it a frame that is the runtime's own, as one that the note-less frames of a process may be? */
  isGlue(process: ProcessView, pc: number, location: ResolvedLocation): boolean {
    if (this.#showsOwn) return false;
    const known = this.#processes.get(this.#keyOf(process));
    if (known === undefined) return isV8Glue(location);
    return known.reader.isGlue(findMapping(process.mappings, BigInt(pc)), location);
  }

  /** A process has ended, and its last frames are named. */
  forget(process: ProcessView): void {
    const key = this.#keyOf(process);
    this.#processes.get(key)?.memory.close();
    this.#processes.delete(key);
  }

  close(): void {
    for (const { memory } of this.#processes.values()) memory.close();
    this.#processes.clear();
  }

  #make(
    symbols: V8Symbols | PythonSymbols,
    cause: LossCause<'runtimes_unknown'>,
    make: () => Runtime | string,
  ): Runtime | undefined {
    let runtime = this.#layouts.get(symbols);
    if (runtime === undefined) {
      const made = make();
      runtime = typeof made === 'string' ? 'unknown' : made;
      if (runtime === 'unknown') this.#losses.add('runtimes_unknown', cause);
      this.#layouts.set(symbols, runtime);
    }
    return runtime === 'unknown' ? undefined : runtime;
  }

  /** A program that is executed in place of another has another address space, so another descriptor. */
  #keyOf(process: ProcessView): string {
    const known = this.#keys.get(process);
    if (known?.path === process.executablePath) return known.key;
    const { pid, startTimeNs, executablePath: path } = process;
    const key = `${pid}:${startTimeNs}:${path}`;
    this.#keys.set(process, { path, key });
    return key;
  }

  #process(process: ProcessView, makeReader: (memory: ProcessMemory) => FrameReader): RuntimeProcess | undefined {
    const key = this.#keyOf(process);
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
    const seenMs = performance.now();
    const made: RuntimeProcess = {
      memory,
      reader: makeReader(memory),
      frames: new FrameTable(),
      before: new FrameTable(),
      seenMs,
    };
    this.#processes.set(key, made);
    this.#youngUntilMs = seenMs + youngMs;
    return made;
  }
}

function runtimeOr<L>(layout: L | string, make: (layout: L) => Runtime): Runtime | string {
  return typeof layout === 'string' ? layout : make(layout);
}
