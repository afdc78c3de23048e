import type { GoLabels } from '@everflame/binary';

import {
  contextDynamic,
  contextStatic,
  goMap,
  goSlice,
  mappingBytes,
  mappingFlagPython,
  mappingFramePointer,
  mappingNone,
  mappingOffset,
  mappingPart,
  mappingPending,
  mappingTable,
  mappingV8,
  maxParts,
  maxProcessParts,
  partMappings,
  processBytes,
  processKeyBytes,
  processOffset,
  v8Builtins,
} from '../kernel/generated/abi.ts';
import { SystemError } from '../kernel/libc.ts';
import { loadLibbpf } from '../kernel/libbpf.ts';
import type { LossCounters } from '../health/counters.ts';
import type { ThreadContextPlace } from '../processes/process-context.ts';
import type { ProcessMapping } from '../processes/process.ts';
import type { ProcessImage } from '../processes/process-image.ts';
import type { ProcessSpaces, PythonPlace, SpaceMapping } from './process-space.ts';
import { pythonEntry } from './python-entry.ts';
import type { TableModule, TableStore } from './table-store.ts';

/** What the kernel tells an address space by; see struct ef_space in bpf/abi.h. */
export interface AddressSpace {
  readonly mm: bigint;
  readonly startStack: bigint;
  readonly execPages: bigint;
}

/** Of bpf/maps.h. */
export interface ProcessMaps {
  readonly processesFd: number;
  readonly pythonsFd: number;
}

/** What the kernel part knows of a process. */
interface Entry {
  readonly image: ProcessImage;
  readonly space: AddressSpace;
  readonly generation: number;
  readonly mappings: readonly ProcessMapping[];
  readonly modules: ReadonlySet<TableModule>;
  readonly parts: number;
  /** Of the table store. */
  readonly version: number;
  readonly hasPending: boolean;
  readonly hasPython: boolean;
  /** Of the goroutines that run in it; undefined where it sets none, as far as is known. */
  readonly goLabels: GoLabels | undefined;
  /** The mappings of the generation before, whose samples may still be under way. */
  readonly previous: { readonly generation: number; readonly mappings: readonly ProcessMapping[] } | undefined;
}

/** What each part of a process is told of it. */
type Head = Pick<Entry, 'space' | 'generation' | 'goLabels'> & { readonly context: ThreadContextPlace | undefined };

interface Wanted {
  readonly image: ProcessImage;
  readonly space: AddressSpace;
  readonly drain: number;
  /** In that drain. */
  samples: number;
}

/** A process that is sampled so often between two drains lives long enough to be told of at once. */
const manySamples = 3;
/** How long the stacks of a process are copied once its mappings were others than the kernel thought; doubled each time. */
const distrustMs = 2000;
const mostDistrustMs = 60_000;

/** Parts that are given up at once when the kernel's hash is full: those of the processes that were written longest ago. */
const evictedParts = 256;

/**
 * Tells the kernel part of the processes that are sampled: which mapping lies where, by which table. A process is told of when a sample of it
 * has come that the kernel could not unwind, and lives on; so those that live shorter than two drains cost nothing.
 */
export class ProcessEntries {
  readonly #fd: number;
  readonly #pythonsFd: number;
  readonly #store: TableStore;
  readonly #spaces: ProcessSpaces;
  readonly #losses: LossCounters;
  /** In the order in which they were written. */
  readonly #entries = new Map<number, Entry>();
  readonly #wanted = new Map<number, Wanted>();
  readonly #value = new DataView(new ArrayBuffer(processBytes + partMappings * mappingBytes));
  readonly #key = new DataView(new ArrayBuffer(processKeyBytes));
  readonly #distrusted = new Map<
    number,
    { readonly startTimeNs: bigint; readonly pauseMs: number; readonly untilMs: number }
  >();
  #parts = 0;
  #generation = 0;
  #drain = 0;
  /** Of the table store, when it was last looked for Python. */
  #toldVersion = 0;

  constructor(maps: ProcessMaps, store: TableStore, spaces: ProcessSpaces, losses: LossCounters) {
    this.#fd = maps.processesFd;
    this.#pythonsFd = maps.pythonsFd;
    this.#store = store;
    this.#spaces = spaces;
    this.#losses = losses;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** A sample of `image` came as a copy, from this address space. */
  see(image: ProcessImage, space: AddressSpace): void {
    const entry = this.#entries.get(image.pid);
    const isRight =
      entry?.image === image &&
      entry.mappings === image.mappings &&
      isSameSpace(entry.space, space) &&
      (!entry.hasPending || entry.version === this.#store.version);
    if (isRight || this.#isDistrusted(image)) return;
    const wanted = this.#wanted.get(image.pid);
    const isKnown = wanted !== undefined && wanted.image.startTimeNs === image.startTimeNs;
    // One that was there before us will be there in a moment, too.
    const isOld = entry?.image.startTimeNs === image.startTimeNs || image.startTimeNs === 0n;
    const drain = isKnown ? wanted.drain : isOld ? -1 : this.#drain;
    this.#wanted.set(image.pid, { image, space, drain, samples: 1 + (isKnown ? wanted.samples : 0) });
  }

  /** Writes what the last drain and those before have made known. Call it at the end of each drain. */
  flush(isCurrent: (image: ProcessImage) => boolean): void {
    this.#tellOfRuntimes(isCurrent);
    for (const [pid, wanted] of this.#wanted) {
      if (wanted.drain === this.#drain && wanted.samples < manySamples) continue;
      this.#wanted.delete(pid);
      if (isCurrent(wanted.image)) this.#write(wanted.image, wanted.space);
    }
    this.#drain++;
  }

  /** It is known by now where the threads of the process have their contexts. */
  tellOfContext(image: ProcessImage): void {
    const entry = this.#entries.get(image.pid);
    if (entry !== undefined && entry.image.context === image.context) this.#write(entry.image, entry.space);
  }

  /** Of a process whose samples are copied for a table, and which turns out to run Python, or to set labels of Go: that must be noted at the sample. */
  #tellOfRuntimes(isCurrent: (image: ProcessImage) => boolean): void {
    const { version } = this.#store;
    if (version === this.#toldVersion) return;
    this.#toldVersion = version;
    const waiting = [...this.#entries.values()].filter(
      ({ image, mappings, hasPending, hasPython, goLabels }) =>
        hasPending &&
        mappings === image.mappings &&
        ((!hasPython && this.#spaces.hasPython(image)) ||
          (goLabels === undefined && this.#spaces.goLabelsOf(image) !== undefined)),
    );
    for (const { image, space } of waiting) if (isCurrent(image)) this.#write(image, space);
  }

  /**
   * The mappings by which a sample of `generation` was unwound; undefined where that is not known any more, and where they are the image's
   * own.
   */
  otherMappingsOf(image: ProcessImage, generation: number): readonly ProcessMapping[] | undefined {
    const entry = this.#entries.get(image.pid);
    let mappings: readonly ProcessMapping[] | undefined;
    if (entry?.generation === generation) mappings = entry.mappings;
    else if (entry?.previous?.generation === generation) mappings = entry.previous.mappings;
    return mappings === image.mappings ? undefined : mappings;
  }

  /**
   * A stack of the process was unwound by mappings that it had no more: it loads and unloads code so fast that only copies of its stacks are
   * right.
   */
  distrust(image: ProcessImage): void {
    const { pid, startTimeNs } = image;
    const before = this.#distrusted.get(pid);
    const pauseMs = before?.startTimeNs === startTimeNs ? Math.min(2 * before.pauseMs, mostDistrustMs) : distrustMs;
    this.#distrusted.set(pid, { startTimeNs, pauseMs, untilMs: performance.now() + pauseMs });
    this.#wanted.delete(pid);
    const entry = this.#entries.get(pid);
    if (entry !== undefined) this.#remove(pid, entry);
  }

  #isDistrusted({ pid, startTimeNs }: ProcessImage): boolean {
    const distrust = this.#distrusted.get(pid);
    return distrust?.startTimeNs === startTimeNs && performance.now() < distrust.untilMs;
  }

  /** It has exited, or another program runs under its PID. */
  remove(image: ProcessImage): void {
    if (this.#wanted.get(image.pid)?.image === image) this.#wanted.delete(image.pid);
    if (this.#distrusted.get(image.pid)?.startTimeNs === image.startTimeNs) this.#distrusted.delete(image.pid);
    const entry = this.#entries.get(image.pid);
    if (entry?.image === image) this.#remove(image.pid, entry);
  }

  /** Nothing in the kernel points to the module's slot after this. */
  detach(module: TableModule): void {
    for (const [pid, entry] of this.#entries) if (entry.modules.has(module)) this.#remove(pid, entry);
  }

  #remove(pid: number, entry: Entry): void {
    this.#entries.delete(pid);
    this.#parts -= entry.parts;
    for (let part = 0; part < entry.parts; part++) loadLibbpf().remove(this.#fd, this.#keyOf(pid, part));
    if (entry.hasPython) loadLibbpf().remove(this.#pythonsFd, pidKey(pid));
  }

  #write(image: ProcessImage, space: AddressSpace): void {
    const before = this.#entries.get(image.pid);
    const mappings = this.#spaces.of(image, image.mappings);
    const needed = mappings.length <= partMappings ? 1 : 1 + Math.ceil(mappings.length / partMappings);
    if (needed > maxParts) {
      this.#losses.add('tables_refused', 'mappings');
      return;
    }
    while (this.#parts + needed > maxProcessParts) this.#evict();
    const generation = (this.#generation = (this.#generation % 0xffff_ffff) + 1);
    const hasPython = this.#putPython(image.pid, mappings.find(({ python }) => python !== undefined)?.python, space);
    const goLabels = this.#spaces.goLabelsOf(image);
    const head = { space, generation, goLabels, context: image.context?.place };
    if (before?.hasPython === true && !hasPython) loadLibbpf().remove(this.#pythonsFd, pidKey(image.pid));
    try {
      // Part 0 last: it says who all of them belong to.
      for (let part = needed - 1; part > 0; part--) {
        const from = (part - 1) * partMappings;
        this.#put(image.pid, part, head, mappings.slice(from, from + partMappings));
      }
      if (needed === 1) this.#put(image.pid, 0, head, mappings);
      else this.#putDirectory(image.pid, head, mappings);
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      this.#losses.add('tables_refused', 'kernel');
      if (hasPython) loadLibbpf().remove(this.#pythonsFd, pidKey(image.pid));
      if (before !== undefined) this.#remove(image.pid, { ...before, hasPython: false });
      return;
    }
    for (let part = needed; part < (before?.parts ?? 0); part++) {
      loadLibbpf().remove(this.#fd, this.#keyOf(image.pid, part));
    }
    this.#parts += needed - (before?.parts ?? 0);
    this.#entries.delete(image.pid);
    this.#entries.set(image.pid, {
      image,
      space,
      generation,
      mappings: image.mappings,
      modules: new Set(mappings.map(({ module }) => module).filter((module) => module !== undefined)),
      parts: needed,
      version: this.#store.version,
      hasPython,
      goLabels,
      hasPending: mappings.some(({ unwind }) => unwind.by === 'pending'),
      previous: before === undefined ? undefined : { generation: before.generation, mappings: before.mappings },
    });
  }

  /** Where there is no room for it, the process's frames of Python stay unknown. */
  #putPython(pid: number, place: PythonPlace | undefined, { mm }: AddressSpace): boolean {
    if (place === undefined) return false;
    try {
      loadLibbpf().update(this.#pythonsFd, pidKey(pid), pythonEntry(place, mm));
      return true;
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      this.#losses.add('tables_refused', 'kernel');
      return false;
    }
  }

  #evict(): void {
    let given = 0;
    for (const [pid, entry] of this.#entries) {
      if (given >= evictedParts) return;
      given += entry.parts;
      this.#remove(pid, entry);
    }
  }

  #putDirectory(pid: number, head: Head, mappings: readonly SpaceMapping[]): void {
    const parts = Math.ceil(mappings.length / partMappings);
    this.#head(head, parts);
    for (let part = 1; part <= parts; part++) {
      const first = mappings[(part - 1) * partMappings];
      const last = mappings[Math.min(part * partMappings, mappings.length) - 1];
      const at = processBytes + (part - 1) * mappingBytes;
      this.#range(at, BigInt(first?.start ?? 0), BigInt(last?.end ?? 0));
      this.#value.setUint16(at + mappingOffset.slot, part, true);
      this.#value.setUint8(at + mappingOffset.kind, mappingPart);
    }
    this.#update(pid, 0);
  }

  #put(pid: number, part: number, head: Head, mappings: readonly SpaceMapping[]): void {
    this.#head(head, mappings.length);
    for (const [index, mapping] of mappings.entries()) this.#mapping(processBytes + index * mappingBytes, mapping);
    this.#update(pid, part);
  }

  #head({ space, generation, goLabels, context }: Head, count: number): void {
    const value = this.#value;
    value.setBigUint64(processOffset.mm, space.mm, true);
    value.setBigUint64(processOffset.startStack, space.startStack, true);
    value.setBigUint64(processOffset.execPages, space.execPages, true);
    value.setUint32(processOffset.generation, generation, true);
    value.setUint16(processOffset.mappingCount, count, true);
    value.setUint16(processOffset.goKind, goLabels === undefined ? 0 : goKinds[goLabels.kind], true);
    value.setUint16(processOffset.goBelowThread, -(goLabels?.threadOffset ?? 0), true);
    value.setUint16(processOffset.goThread, goLabels?.threadOf ?? 0, true);
    value.setUint16(processOffset.goCurrent, goLabels?.current ?? 0, true);
    value.setUint16(processOffset.goLabels, goLabels?.labels ?? 0, true);
    value.setUint16(processOffset.contextKind, context === undefined ? 0 : contextKinds[context.kind], true);
    value.setUint16(processOffset.contextModule, context?.kind === 'dynamic' ? context.module : 0, true);
    value.setInt32(processOffset.contextOffset, context?.offset ?? 0, true);
  }

  #range(at: number, start: bigint, end: bigint): void {
    this.#value.setBigUint64(at + mappingOffset.start, start, true);
    this.#value.setBigUint64(at + mappingOffset.end, end, true);
    this.#value.setBigUint64(at + mappingOffset.bias, 0n, true);
    this.#value.setUint16(at + mappingOffset.slot, 0, true);
    this.#value.setUint8(at + mappingOffset.tableFlags, 0);
    this.#value.setUint32(at + mappingOffset.pageCount, 0, true);
  }

  #mapping(at: number, { start, end, module, unwind, bias, python }: SpaceMapping): void {
    this.#range(at, BigInt(start), BigInt(end));
    if (unwind.by === 'table' && module?.state.kind === 'ready') {
      const { slot, rows } = module.state.table;
      this.#value.setBigUint64(at + mappingOffset.bias, BigInt.asUintN(64, BigInt(bias) + BigInt(rows.base)), true);
      this.#value.setUint16(at + mappingOffset.slot, slot, true);
      this.#value.setUint8(at + mappingOffset.tableFlags, rows.flags | (python === undefined ? 0 : mappingFlagPython));
      this.#value.setUint32(at + mappingOffset.pageCount, rows.pageCount, true);
    }
    if (unwind.by === 'v8') {
      const { sharedOffset, holdsBuiltins } = unwind.code;
      this.#value.setUint32(at + mappingOffset.pageCount, sharedOffset | (holdsBuiltins ? v8Builtins : 0), true);
    }
    this.#value.setUint8(at + mappingOffset.kind, kinds[unwind.by]);
  }

  #update(pid: number, part: number): void {
    loadLibbpf().update(this.#fd, this.#keyOf(pid, part), new Uint8Array(this.#value.buffer));
  }

  #keyOf(pid: number, part: number): Uint8Array {
    this.#key.setUint32(0, pid, true);
    this.#key.setUint32(4, part, true);
    return new Uint8Array(this.#key.buffer);
  }
}

function pidKey(pid: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(pid).buffer);
}

const contextKinds = { static: contextStatic, dynamic: contextDynamic } as const;
const goKinds = { map: goMap, slice: goSlice } as const;

const kinds = {
  table: mappingTable,
  frame_pointer: mappingFramePointer,
  none: mappingNone,
  pending: mappingPending,
  v8: mappingV8,
} as const;

function isSameSpace(one: AddressSpace, other: AddressSpace): boolean {
  return one.mm === other.mm && one.startStack === other.startStack && one.execPages === other.execPages;
}
