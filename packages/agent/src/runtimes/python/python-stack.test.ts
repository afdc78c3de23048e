import { expect, test } from 'vitest';

import { readNote } from '../frame-note.ts';
import type { PythonLayout } from './python-layout.ts';
import { PythonStack } from './python-stack.ts';
import { knownLayout } from './testing/known-layout.ts';
import { PlantedMemory } from './testing/planted-memory.ts';

const stackBase = 0x7fff_0000_0000;
const stackBytes = 4096;
const threadPointer = 0x7f12_3456_7700;
const loopAddress = 0x1100;

/** The part of a stack that was copied. */
class PlantedStack {
  readonly #bytes = Buffer.alloc(stackBytes);

  setWord(address: number, value: number): void {
    this.#bytes.writeUInt32LE(value % 2 ** 32, address - stackBase);
    this.#bytes.writeUInt32LE(Math.floor(value / 2 ** 32), address - stackBase + 4);
  }

  bytes(address: number, length: number): Buffer | undefined {
    const at = address - stackBase;
    return at >= 0 && at + length <= stackBytes ? this.#bytes.subarray(at, at + length) : undefined;
  }

  word(address: number): number | undefined {
    const bytes = this.bytes(address, 8);
    return bytes === undefined ? undefined : bytes.readUInt32LE(4) * 2 ** 32 + bytes.readUInt32LE(0);
  }
}

/** A process with one thread; its list of frames is made by what follows. */
class PlantedPython {
  readonly memory = new PlantedMemory();
  readonly stack = new PlantedStack();
  readonly registers = new Float64Array(32);
  readonly layout: PythonLayout;
  readonly thread: number;

  constructor(minor: number) {
    const { memory } = this;
    const runtime = memory.allocate(64);
    this.layout = knownLayout(minor, runtime);
    const { interpreters, interpreterThreads, threadId, threadNext } = this.layout.frames;
    const interpreter = memory.allocate(128);
    memory.setWord(runtime + interpreters, interpreter);
    const other = memory.allocate(256);
    this.thread = memory.allocate(256);
    memory.setWord(interpreter + interpreterThreads, other);
    memory.setWord(other + threadId, threadPointer + 4096);
    memory.setWord(other + threadNext, this.thread);
    memory.setWord(this.thread + threadId, threadPointer);
  }

  /** A code object of 3.11 with so many instructions. */
  code(count: number): number {
    const code = this.memory.allocate(this.layout.frames.codeFirst + 2 * count);
    this.memory.setWord(code + 16, count);
    return code;
  }

  /** `place`: of the instruction, in units of 2 bytes. */
  frame(code: number, place: number, previous: number, isEntry: boolean): number {
    const { frameAt, frameCode, framePrevious, framePlace, frameMark, codeFirst, indexShift } = this.layout.frames;
    const frame = this.memory.allocate(128);
    this.memory.setWord(frame + frameAt + frameCode, code);
    this.memory.setWord(frame + frameAt + framePrevious, previous);
    if (frameAt > 0) {
      this.memory.setWord(frame + framePlace, place * 2 ** indexShift);
    } else {
      this.memory.setWord(frame + framePlace, code + codeFirst + 2 * place);
      if (isEntry) this.memory.setByte(frame + frameMark, 1);
    }
    return frame;
  }

  cframe(at: number, frame: number, previous: number): number {
    const { cframeFrame, cframePrevious } = this.layout.frames;
    this.stack.setWord(at + cframeFrame, frame);
    this.stack.setWord(at + cframePrevious, previous);
    return at;
  }

  run(frame: number): PythonStack {
    this.memory.setWord(this.thread + this.layout.frames.threadFrame, frame);
    const { layout, stack, memory, registers } = this;
    return new PythonStack({ layout, bias: 0, stack, memory, threadPointer, registers, sp: stackBase });
  }
}

function read(stack: PythonStack, address: number, sp: number): unknown {
  return stack.take(address, sp).map(({ low, high }) => readNote(low, high));
}

test('3.11: each call of the loop gets the functions whose mark lies in its native frame', () => {
  const python = new PlantedPython(11);
  const [inner, middle, outer] = [python.code(100), python.code(100), python.code(100)];
  const outerFrame = python.frame(outer, 7, 0, true);
  const middleFrame = python.frame(middle, 30, outerFrame, true);
  const innerFrame = python.frame(inner, 40, middleFrame, false);
  const outerCframe = python.cframe(stackBase + 0x400, outerFrame, 0);
  const innerCframe = python.cframe(stackBase + 0x200, innerFrame, outerCframe);
  // Where the loop was in the innermost function, 50 instructions in, a register says; and of the outer one its native frame.
  python.registers[12] = inner + python.layout.frames.codeFirst + 2 * 51;
  python.stack.setWord(stackBase + 0x410, outer + python.layout.frames.codeFirst + 2 * 8);
  const stack = python.run(innerCframe);
  expect([
    read(stack, 0x9000, stackBase + 0x100),
    read(stack, loopAddress, stackBase + 0x300),
    read(stack, 0x9100, stackBase + 0x380),
    read(stack, loopAddress, stackBase + 0x500),
    stack.missed,
  ]).toEqual([
    [],
    [
      { object: inner, place: 50 },
      { object: middle, place: 30 },
    ],
    [],
    [{ object: outer, place: 7 }],
    0,
  ]);
});

test('3.11: what the copy does not bear out is not believed, and counted', () => {
  const python = new PlantedPython(11);
  const [now, then] = [python.code(100), python.code(100)];
  const frame = python.frame(now, 7, 0, true);
  const cframe = python.cframe(stackBase + 0x200, frame, 0);
  python.registers[12] = then + python.layout.frames.codeFirst + 20;
  const stack = python.run(cframe);
  expect([read(stack, loopAddress, stackBase + 0x300), stack.missed]).toEqual([[], 1]);
});

test('3.8: a function is found where its frame is in the words of its native one', () => {
  const python = new PlantedPython(8);
  const [inner, outer] = [python.code(10), python.code(10)];
  const outerFrame = python.frame(outer, 7, 0, false);
  const innerFrame = python.frame(inner, 9, outerFrame, false);
  const gone = python.frame(inner, 2, innerFrame, false);
  python.registers[3] = innerFrame;
  python.stack.setWord(stackBase + 0x280, outerFrame);
  const stack = python.run(gone);
  expect([
    read(stack, loopAddress, stackBase + 0x100),
    read(stack, 0x9000, stackBase + 0x200),
    read(stack, loopAddress, stackBase + 0x300),
    stack.missed,
  ]).toEqual([[{ object: inner, place: 9 }], [], [{ object: outer, place: 7 }], 0]);
});

test('lists without end, and memory that holds anything, cost a bounded number of reads', () => {
  for (const minor of [8, 11, 12]) {
    const python = new PlantedPython(minor);
    const { threadNext, threadId } = python.layout.frames;
    const frame = python.frame(python.code(4), 1, 0, false);
    python.memory.setWord(frame + python.layout.frames.frameAt + python.layout.frames.framePrevious, frame);
    const cframe = python.cframe(stackBase + 0x200, frame, stackBase + 0x200);
    const looping = python.run(minor === 8 ? frame : cframe);
    looping.take(loopAddress, stackBase + 0x300);
    // 1,024 heads of frames of 80 bytes, and a cframe for each where every segment is short.
    expect(python.memory.asked).toBeLessThan(1024 * (80 + 40));
    python.memory.setWord(python.thread + threadId, 1);
    python.memory.setWord(python.thread + threadNext, python.thread);
    python.memory.asked = 0;
    python.run(frame).take(loopAddress, stackBase + 0x300);
    expect(python.memory.asked).toBeLessThan(20 * 256);
  }
});
