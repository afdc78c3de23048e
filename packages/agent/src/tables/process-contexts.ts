import { readFileSync } from 'node:fs';
import type { LossCounters } from '../health/counters.ts';
import { unlessRefused } from '../kernel/unless-refused.ts';
import { ProcessContext, type ThreadContextPlace } from '../processes/process-context.ts';
import type { ProcessImage } from '../processes/process-image.ts';
import type { ProcessMapping } from '../processes/process.ts';
import { readContextPayload } from '../runtimes/otel/context-payload.ts';
import { findProcessContext, readProcessContext } from '../runtimes/otel/read-process-context.ts';
import { placeOfThreadContext } from '../runtimes/otel/thread-context-place.ts';
import { ProcessMemory, ReadBudget } from '../runtimes/process-memory.ts';
import { targetOfMapping } from '../symbols/mapping-target.ts';
import type { TableStore } from './table-store.ts';

/** From a process's first sample to the first look: those that live shorter cost nothing. */
const firstLookMs = 50;
/** From there to the next one; each time three times as long, so a process costs eight looks, of some 100 µs, in its first five minutes. */
const firstPauseMs = 100;
const pauseFactor = 3;
const mostPauseMs = 300_000;
/** What was found is read again, if it has changed: a library names attributes as it meets them. */
const publishedPauseMs = 1000;
/** In one drain. */
const mostLooks = 8;

export interface ProcessContextsOptions {
  readonly store: Pick<TableStore, 'threadContextOf'>;
  readonly losses: LossCounters;
  /** It is known where the threads of a process have their contexts. */
  readonly onPlace: (image: ProcessImage) => void;
}

/**
 * Looks for what processes publish of themselves by OpenTelemetry (OTEP 4719): attributes of their resource, and that their threads have contexts. No record of
 * the kernel's tells that it has come, so processes that are sampled are looked at again, ever more seldom.
 */
export class ProcessContexts {
  readonly #options: ProcessContextsOptions;
  readonly #budget = new ReadBudget();
  readonly #searching = new WeakSet<ProcessContext>();
  /** Files of a process that do not have the variable. */
  readonly #searched = new WeakMap<ProcessContext, Set<ProcessMapping>>();
  #looks = 0;
  #nowMs = performance.now();

  constructor(options: ProcessContextsOptions) {
    this.#options = options;
  }

  /** Call it before the samples of a drain. */
  begin(): void {
    this.#looks = 0;
    this.#nowMs = performance.now();
    this.#budget.renew();
  }

  /** A sample of `image` has come. */
  see(image: ProcessImage): void {
    if (image.isKernelThread) return;
    const context = (image.context ??= new ProcessContext(this.#nowMs + firstLookMs, firstPauseMs));
    if (this.#nowMs < context.nextLookMs || this.#looks >= mostLooks) return;
    this.#looks++;
    context.nextLookMs = this.#nowMs + context.pauseMs;
    context.pauseMs = Math.min(context.pauseMs * pauseFactor, mostPauseMs);
    this.#look(image, context);
  }

  #look(image: ProcessImage, context: ProcessContext): void {
    if (context.address === undefined) {
      const maps = unlessRefused(() => readFileSync(`/proc/${image.pid}/maps`, 'latin1'));
      context.address = maps === undefined ? undefined : findProcessContext(maps);
    }
    if (context.address === undefined) return;
    const memory = ProcessMemory.open(image.pid, this.#budget);
    if (memory === undefined) return;
    try {
      this.#read(image, context, memory, context.address);
    } finally {
      memory.close();
    }
    if (context.attributeNames !== undefined && context.place === undefined) void this.#findPlace(image, context);
  }

  #read(image: ProcessImage, context: ProcessContext, memory: ProcessMemory, address: number): void {
    const found = readProcessContext(memory, address, context.publishedAtNs);
    if (found.status === 'absent') {
      context.address = undefined;
      return;
    }
    context.pauseMs = publishedPauseMs;
    context.nextLookMs = this.#nowMs + publishedPauseMs;
    if (found.status === 'refused') this.#count(context, 'refused');
    if (found.status !== 'read') return;
    context.publishedAtNs = found.publishedAtNs;
    const payload = readContextPayload(found.payload);
    if (payload === undefined) {
      this.#count(context, 'malformed');
      return;
    }
    context.attributeNames = payload.attributeNames;
    if (isSame(context.resource, payload.resource)) return;
    context.resource = payload.resource;
    image.forgetLabels();
  }

  async #findPlace(image: ProcessImage, context: ProcessContext): Promise<void> {
    if (this.#searching.has(context)) return;
    this.#searching.add(context);
    let searched = this.#searched.get(context);
    if (searched === undefined) this.#searched.set(context, (searched = new Set()));
    let isNews = false;
    for (const mapping of image.mappings) {
      if (searched.has(mapping) || targetOfMapping(mapping) !== 'file') continue;
      isNews = true;
      const place = await this.#placeIn(image, mapping);
      if (place === 'absent') searched.add(mapping);
      else if (place !== undefined) {
        context.place = place;
        this.#options.onPlace(image);
        break;
      }
    }
    // What the process loads later may have it.
    if (!isNews) this.#count(context, 'threads');
    this.#searching.delete(context);
  }

  /** `absent`: this file does not have the variable. Undefined where the loader has not said where it is, yet. */
  async #placeIn(image: ProcessImage, mapping: ProcessMapping): Promise<ThreadContextPlace | 'absent' | undefined> {
    const found = await this.#options.store.threadContextOf(image, mapping);
    if (found === undefined) return 'absent';
    if (mapping.path === image.executablePath) return { kind: 'static', offset: found.symbol.programOffset };
    const memory = ProcessMemory.open(image.pid, new ReadBudget());
    if (memory === undefined) return undefined;
    const place = placeOfThreadContext(found.symbol, found.bias, memory);
    memory.close();
    // The table of blocks that the kernel part reads is glibc's.
    const isOther = image.mappings.some(({ path }) => /\/(?:ld-musl|libc\.musl)-/u.test(path));
    return place?.kind === 'dynamic' && isOther ? undefined : place;
  }

  #count(context: ProcessContext, cause: 'refused' | 'malformed' | 'threads'): void {
    if (!context.isCounted) this.#options.losses.add('contexts_unread', cause);
    context.isCounted = true;
  }
}

function isSame(one: ReadonlyMap<string, string>, other: ReadonlyMap<string, string>): boolean {
  return one.size === other.size && [...one].every(([key, value]) => other.get(key) === value);
}
