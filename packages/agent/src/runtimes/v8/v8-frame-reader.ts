import type { ProcessMapping } from '../../processes/process.ts';
import { targetOfMapping } from '../../symbols/mapping-target.ts';
import type { ResolvedLocation } from '../../symbols/symbolizer.ts';
import type { FrameReader, RuntimeFrame } from '../frame-reader.ts';
import type { ReadNote } from '../frame-note.ts';
import type { ProcessMemory } from '../process-memory.ts';
import type { V8Layout } from './v8-layout.ts';
import { isV8Glue, v8Locations } from './v8-locations.ts';
import { type V8Frame, V8Process } from './v8-process.ts';

class ShownV8Frame implements RuntimeFrame {
  readonly #frame: V8Frame;

  constructor(frame: V8Frame) {
    this.#frame = frame;
  }

  isStillIn(process: V8Process, shared: number | undefined): boolean {
    return process.isStill(this.#frame, shared);
  }

  get isWhole(): boolean {
    return this.unnamed === 0 && this.#frame.lines.every(({ function: { isWhole } }) => isWhole);
  }

  get unnamed(): number {
    return this.#frame.unnamed;
  }

  show(native: ResolvedLocation): readonly ResolvedLocation[] {
    return v8Locations(this.#frame, native);
  }
}

/** Notes of V8's: the object is a SharedFunctionInfo. */
export class V8FrameReader implements FrameReader {
  readonly #process: V8Process;

  constructor(layout: V8Layout, memory: ProcessMemory) {
    this.#process = new V8Process(layout, memory);
  }

  read(mapping: ProcessMapping | undefined, pc: number, { object, place }: ReadNote): RuntimeFrame | undefined {
    if (mapping === undefined) return undefined;
    const shared = sharedOf(object);
    let frame: V8Frame | undefined;
    if (targetOfMapping(mapping) === 'anonymous') frame = this.#process.compiled(pc, shared);
    // Builtins lie in the program's file.
    else if (shared !== undefined) frame = this.#process.interpreted(shared, place);
    return frame === undefined ? undefined : new ShownV8Frame(frame);
  }

  isStill(frame: RuntimeFrame, { object }: ReadNote): boolean {
    return frame instanceof ShownV8Frame && frame.isStillIn(this.#process, sharedOf(object));
  }

  showUnread(native: ResolvedLocation): readonly ResolvedLocation[] {
    return v8Locations(undefined, native);
  }

  isGlue(_mapping: ProcessMapping | undefined, location: ResolvedLocation): boolean {
    return isV8Glue(location);
  }
}

/** The tagged SharedFunctionInfo of a note; undefined where it names none. */
function sharedOf(object: number): number | undefined {
  return object === 0 ? undefined : object + 1;
}
