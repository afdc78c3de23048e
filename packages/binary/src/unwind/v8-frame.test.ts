import { expect, test } from 'vitest';

import { StackMemory } from './unwind-memory.ts';
import { x86_64 } from './unwind-architecture.ts';
import { unwindStack, type UnwindMapping } from './unwind-stack.ts';
import { UnwindState } from './unwind-state.ts';

const builtins = 0x10_0000;
const stackAt = 0x7000_0000;
/** Tagged pointers to objects in the drawn heap, which is the stack itself. */
const functionAt = stackAt + 0x200;
const bytecodes = stackAt + 0x301;
const smi = (value: number): bigint => BigInt(value) << 32n;
const savedOffset = 60;

/** The place that is noted of an interpreted function, which has called a handler with a frame of its own. */
function placeOf(registers: Readonly<Record<number, number>>): number | undefined {
  const view = new DataView(new ArrayBuffer(0x400));
  const put = (address: number, word: bigint): void => view.setBigUint64(address - stackAt, word, true);
  const [handlerFp, functionFp] = [stackAt + 0x50, stackAt + 0x100];
  // Of the handler: the type of its frame, where a function has its context.
  put(handlerFp - 8, smi(9));
  put(handlerFp, BigInt(functionFp));
  put(handlerFp + 8, BigInt(builtins + 0x500));
  put(functionFp - 8, BigInt(functionAt + 1));
  put(functionFp - 16, BigInt(functionAt + 1));
  put(functionFp - 32, BigInt(bytecodes));
  put(functionFp - 40, smi(savedOffset));
  put(functionAt + 0x20, BigInt(stackAt + 0x281));
  const bytes = new Uint8Array(view.buffer);
  const memory = new StackMemory(bytes, stackAt);
  const code = { sharedOffset: 0x20, holdsBuiltins: true, memory };
  const mappings: UnwindMapping[] = [{ start: builtins, end: builtins + 0x1000, bias: 0, unwind: { by: 'v8', code } }];
  const state = new UnwindState(x86_64);
  state.pc = builtins + 0x100;
  state.registers[x86_64.sp] = stackAt + 0x10;
  state.registers[x86_64.fp] = handlerFp;
  for (const [register, value] of Object.entries(registers)) state.registers[Number(register)] = value;
  const { notes } = unwindStack(state, memory, mappings, 10);
  const note = notes[1]?.[0];
  return note === undefined ? undefined : Math.floor(note.high / 2 ** 12) % 2 ** 18;
}

test('the caller of a handler has the offset that the handler has in its registers', () => {
  expect(placeOf({ 12: bytecodes, 9: 77 })).toBe(77);
});

test('what is in the registers is not believed where it is other bytecode, or no offset', () => {
  expect([placeOf({ 12: bytecodes + 8, 9: 77 }), placeOf({ 12: bytecodes, 9: 8 })]).toEqual([savedOffset, savedOffset]);
});
