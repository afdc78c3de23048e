import type { FrameNote, InterpreterStack } from '@everflame/binary';

import { pythonByCall } from '../../kernel/generated/abi.ts';
import type { PythonLayout } from './python-layout.ts';

interface CopiedSegment {
  /** On the C stack; 0 up to 3.10. */
  readonly mark: number;
  readonly notes: readonly FrameNote[];
}

/** Python's frames as the kernel part wrote them behind a copied stack (bpf/abi.h). The twin of note_python in bpf/python.h. */
export class CopiedPython implements InterpreterStack {
  /** Calls of the loop of which it is not known what they ran. */
  readonly missed = 0;
  readonly #segments: readonly CopiedSegment[];
  readonly #isByCall: boolean;
  readonly #loop: { readonly start: number; readonly end: number };
  #next = 0;

  constructor({ layout, bias }: { readonly layout: PythonLayout; readonly bias: number }, bytes: Uint8Array) {
    this.#segments = segmentsIn(bytes);
    this.#isByCall = (layout.frames.flags & pythonByCall) !== 0;
    this.#loop = { start: Number(layout.loop.start) + bias, end: Number(layout.loop.end) + bias };
  }

  take(address: number, sp: number): readonly FrameNote[] {
    if (this.#isByCall) {
      const isLoop = address >= this.#loop.start && address < this.#loop.end;
      return isLoop ? (this.#segments[this.#next++]?.notes ?? []) : [];
    }
    const notes: FrameNote[] = [];
    for (let segment = this.#segments[this.#next]; segment !== undefined; segment = this.#segments[this.#next]) {
      if (segment.mark >= sp) break;
      notes.push(...segment.notes);
      this.#next++;
    }
    return notes;
  }
}

function segmentsIn(bytes: Uint8Array): readonly CopiedSegment[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const segments: CopiedSegment[] = [];
  for (let at = 0; at + 16 <= bytes.length;) {
    const mark = view.getUint32(at + 4, true) * 2 ** 32 + view.getUint32(at, true);
    const end = Math.min(at + 16 + 8 * view.getUint32(at + 8, true), bytes.length - 7);
    const notes: FrameNote[] = [];
    for (at += 16; at < end; at += 8) notes.push({ low: view.getUint32(at, true), high: view.getUint32(at + 4, true) });
    segments.push({ mark, notes });
  }
  return segments;
}
