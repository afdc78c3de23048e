import type { ProcessMapping } from '../processes/process.ts';
import type { ResolvedLocation } from '../symbols/symbolizer.ts';
import type { ReadNote } from './frame-note.ts';

/** What a frame with a note turned out to be. */
export interface RuntimeFrame {
  /** Nothing more is to be found out about it. */
  readonly isWhole: boolean;
  /** Functions that belong to it and could not be read. */
  readonly unnamed: number;
  /** Innermost first, in place of `native`, which is what is known of its address alone. */
  show(native: ResolvedLocation): readonly ResolvedLocation[];
}

/** What a runtime is, of one process: how its notes are read and which of its native frames are nobody's. */
export interface FrameReader {
  /** `mapping`: what holds `pc`. Undefined where it cannot be read. */
  read(mapping: ProcessMapping | undefined, pc: number, note: ReadNote): RuntimeFrame | undefined;
  /** What is shown where it could not be. */
  showUnread(native: ResolvedLocation): readonly ResolvedLocation[];
  /** Is a frame without a note the runtime's own, between those of the program's functions? */
  isGlue(mapping: ProcessMapping | undefined, location: ResolvedLocation): boolean;
}
