import type { ProcessMapping } from '../processes/process.ts';
import type { ResolvedLocation } from '../symbols/symbolizer.ts';
import type { ReadNote } from './frame-note.ts';
import type { ProgramLabel } from './program-labels.ts';

/** What a frame with a note turned out to be. */
export interface RuntimeFrame {
  /** Nothing more is to be found out about it. */
  readonly isWhole: boolean;
  /** Functions that belong to it and could not be read. */
  readonly unnamed: number;
  /** Innermost first, in place of `native`, which is what is known of its address alone. */
  show(native: ResolvedLocation): readonly ResolvedLocation[];
}

/** What a runtime calls a thread, as a label of its samples; `none` where it calls it nothing, `unread` where that could not be found out. */
export type ThreadLabel = ProgramLabel | 'none' | 'unread';

/** What a runtime is, of one process: how its notes are read and which of its native frames are nobody's. */
export interface FrameReader {
  /** `mapping`: what holds `pc`. Undefined where it cannot be read. */
  read(mapping: ProcessMapping | undefined, pc: number, note: ReadNote): RuntimeFrame | undefined;
  /** Is what was read of this frame, some time ago, still so? Much less work than to read it anew. */
  isStill(frame: RuntimeFrame, note: ReadNote): boolean;
  /** What is shown where it could not be. */
  showUnread(native: ResolvedLocation): readonly ResolvedLocation[];
  /** Is a frame without a note the runtime's own, between those of the program's functions? */
  isGlue(mapping: ProcessMapping | undefined, location: ResolvedLocation): boolean;
  /** `threadPointer`: what pthread_self answers in the thread. Left out where the runtime has no names for threads. */
  readThread?(threadPointer: number): ThreadLabel;
}
