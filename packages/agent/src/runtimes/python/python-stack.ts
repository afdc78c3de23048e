import type { FrameNote, InterpreterStack } from '@everflame/binary';

import {
  maxPythonFrames,
  maxPythonThreads,
  noteInterpreted,
  noteKindShift,
  noteNoPlace,
  notePlaceShift,
  pythonByCall,
  pythonCframes,
  pythonOwnedByC,
  pythonShims,
} from '../../kernel/generated/abi.ts';
import { wordIn } from '../process-memory.ts';
import type { PythonLayout } from './python-layout.ts';
import type { PythonMemory } from './python-text.ts';

/** What of a sample was copied, and the process as it is now. */
export interface PythonStackSource {
  readonly layout: PythonLayout;
  /** Address in the process - ELF virtual address. */
  readonly bias: number;
  /** The copied part of the stack. */
  readonly stack: PythonMemory;
  /** As it is now: later than the sample. */
  readonly memory: PythonMemory;
  readonly threadPointer: number;
  /** By DWARF number. */
  readonly registers: Float64Array;
  readonly sp: number;
}

/** How often something may be done: lists in a process's memory may have no end. */
class Budget {
  #left: number;

  constructor(most: number) {
    this.#left = most;
  }

  get isSpent(): boolean {
    return this.#left <= 0;
  }

  spend(): boolean {
    return this.#left-- > 0;
  }
}

/** A function's frame in Python's list. */
interface ListedFrame {
  readonly address: number;
  readonly code: number;
  readonly place: number;
}

interface Segment {
  /** Innermost first. */
  readonly frames: readonly ListedFrame[];
  /** On the C stack; undefined where a segment has none (up to 3.10). */
  readonly mark: number | undefined;
}

/** Of a stack, in which one call of the loop is looked for in the words that it had: more than any C function needs between two of them. */
const mostWords = 4096;
/** A code object's number of instructions: ob_size. */
const sizeAt = 16;
const mostCodeBytes = 1 << 24;
/** Of the head of a frame, bpf/maps.h. */
const frameBytes = 80;

/**
 * Python's frames of a stack that was copied: the kernel part did not know the process yet, and the list of frames has gone on since. The twin of
 * bpf/python.h in what it reads; but a segment counts only if its mark lies in the native frame in question, and a function only if the copy shows that
 * the loop was executing it: a word of the stack or a register that points into its bytecode, or up to 3.10 to its frame.
 */
export class PythonStack implements InterpreterStack {
  /** Calls of the loop of which it could not be told what they ran. */
  missed = 0;
  readonly #source: PythonStackSource;
  readonly #loop: { readonly start: number; readonly end: number };
  #segments: readonly Segment[] | undefined;
  #next = 0;
  /** Where the native frame begins that is asked for, and the part of the stack in which one call of the loop may have left what it knows. */
  #from: number;
  #wordsFrom: number;

  constructor(source: PythonStackSource) {
    this.#source = source;
    const { loop } = source.layout;
    this.#loop = { start: Number(loop.start) + source.bias, end: Number(loop.end) + source.bias };
    this.#from = source.sp;
    this.#wordsFrom = source.sp;
  }

  /** What ran in the native frame of `address`, innermost first; `sp`: of its caller. Ask for each frame of the interpreter's text, from the leaf on. */
  take(address: number, sp: number): readonly FrameNote[] {
    const { layout } = this.#source;
    const isLoop = address >= this.#loop.start && address < this.#loop.end;
    const isByCall = (layout.frames.flags & pythonByCall) !== 0;
    const from = this.#from;
    this.#from = sp;
    if (isByCall && !isLoop) return [];
    this.#segments ??= this.#read();
    const words = (): readonly number[] => this.#words(sp);
    const notes = isByCall ? this.#called(words()) : this.#marked(from, sp, words);
    if (isLoop && notes.length === 0) this.missed++;
    if (isLoop) this.#wordsFrom = sp;
    return notes;
  }

  #marked(from: number, sp: number, words: () => readonly number[]): readonly FrameNote[] {
    for (let segment = this.#segments?.[this.#next]; segment !== undefined; segment = this.#segments?.[++this.#next]) {
      const mark = segment.mark ?? 0;
      if (mark >= sp) return [];
      // Of a call that was not there yet.
      if (mark < from) continue;
      this.#next++;
      const held = words();
      for (const [i, frame] of segment.frames.entries()) {
        const at = this.#instructionOf(frame.code, held);
        if (at === undefined) continue;
        return [noteOf({ ...frame, place: at }), ...segment.frames.slice(i + 1).map(noteOf)];
      }
      return [];
    }
    return [];
  }

  #called(words: readonly number[]): readonly FrameNote[] {
    const held = new Set(words);
    for (let i = this.#next; i < (this.#segments?.length ?? 0); i++) {
      const frame = this.#segments?.[i]?.frames[0];
      if (frame === undefined || !held.has(frame.address)) continue;
      this.#next = i + 1;
      return [noteOf(frame)];
    }
    return [];
  }

  /** The instruction that the loop was at, in units of 2 bytes, if a word points into the bytecode: it points to the next one. */
  #instructionOf(code: number, words: readonly number[]): number | undefined {
    const size = this.#source.memory.word(code + sizeAt) ?? 0;
    const start = code + this.#source.layout.frames.codeFirst;
    const end = start + Math.min(2 * size, mostCodeBytes);
    const word = words.find((each) => each > start && each < end);
    return word === undefined ? undefined : Math.max(0, Math.floor((word - start) / 2) - 1);
  }

  /** Registers of the leaf, which its callers may have left there, and the stack of the frame and of those that it called. */
  #words(to: number): readonly number[] {
    const { stack, registers } = this.#source;
    const count = Math.min(mostWords, Math.floor((to - this.#wordsFrom) / 8));
    const bytes = count > 0 ? stack.bytes(to - 8 * count, 8 * count) : undefined;
    const words = [...registers];
    if (bytes !== undefined) for (let at = 0; at < bytes.length; at += 8) words.push(wordIn(bytes, at));
    return words;
  }

  #read(): readonly Segment[] {
    const segments: Segment[] = [];
    const { layout, bias } = this.#source;
    const { interpreters, interpreterNext, interpreterThreads } = layout.frames;
    let interpreter = this.#word(Number(layout.runtime) + bias + interpreters);
    const budget = { threads: new Budget(maxPythonThreads), frames: new Budget(maxPythonFrames) };
    while (interpreter !== 0 && budget.threads.spend()) {
      const thread = this.#threadIn(this.#word(interpreter + interpreterThreads), budget.threads);
      if (thread !== 0) this.#readThread(thread, segments, budget.frames);
      interpreter = this.#word(interpreter + interpreterNext);
    }
    return segments;
  }

  #threadIn(first: number, budget: Budget): number {
    const { threadId, threadNext } = this.#source.layout.frames;
    let thread = first;
    while (thread !== 0 && budget.spend()) {
      if (this.#word(thread + threadId) === this.#source.threadPointer) return thread;
      thread = this.#word(thread + threadNext);
    }
    return 0;
  }

  #readThread(thread: number, segments: Segment[], budget: Budget): void {
    const { flags, threadFrame, cframeFrame, cframePrevious } = this.#source.layout.frames;
    let at = this.#word(thread + threadFrame);
    while (at !== 0 && !budget.isSpent) {
      const hasCframe = (flags & pythonCframes) !== 0;
      const first = hasCframe ? this.#word(at + cframeFrame) : at;
      if (first === 0) return;
      const { frames, mark, next } = this.#readSegment(first, budget);
      segments.push({ frames, mark: hasCframe ? at : mark });
      at = hasCframe ? this.#word(at + cframePrevious) : next;
    }
  }

  #readSegment(first: number, budget: Budget): Segment & { readonly next: number } {
    const layout = this.#source.layout.frames;
    const frames: ListedFrame[] = [];
    let frame = first;
    while (frame !== 0 && budget.spend()) {
      const head = this.#bytes(frame + layout.frameAt, frameBytes);
      if (head === undefined) break;
      const previous = wordIn(head, layout.framePrevious);
      const kind = head[layout.frameMark] ?? 0;
      const hasShims = (layout.flags & pythonShims) !== 0;
      if (hasShims && kind >= pythonOwnedByC) return { frames, mark: frame, next: previous };
      const code = wordIn(head, layout.frameCode);
      const isByCall = (layout.flags & pythonByCall) !== 0;
      const place = isByCall
        ? (this.#word(frame + layout.framePlace) % 2 ** 32) / 2 ** layout.indexShift
        : (wordIn(head, layout.framePlace) - code - layout.codeFirst) / 2;
      frames.push({ address: frame, code: code - (code % 8), place });
      frame = previous;
      if (isByCall || (!hasShims && kind === 1)) return { frames, mark: undefined, next: previous };
    }
    return { frames, mark: undefined, next: 0 };
  }

  /** 0 where it cannot be read. */
  #word(address: number): number {
    return this.#source.stack.word(address) ?? this.#source.memory.word(address) ?? 0;
  }

  #bytes(address: number, length: number): Buffer | undefined {
    return this.#source.stack.bytes(address, length) ?? this.#source.memory.bytes(address, length);
  }
}

/** A note of bpf/abi.h. */
function noteOf({ code, place }: ListedFrame): FrameNote {
  const index = Number.isInteger(place) && place >= 0 && place < noteNoPlace ? place : noteNoPlace;
  const object = Math.floor(code / 8) % 2 ** notePlaceShift;
  const high =
    Math.floor(object / 2 ** 32) + index * 2 ** (notePlaceShift - 32) + noteInterpreted * 2 ** (noteKindShift - 32);
  return { low: object % 2 ** 32, high };
}
