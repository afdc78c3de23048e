import type { ThreadContextSymbol, ThreadVariableSlot } from '@everflame/binary';
import type { ThreadContextPlace } from '../../processes/process-context.ts';
import type { ProcessMemory } from '../process-memory.ts';

/** Modules of a process with variables of threads; a large service has some hundred. */
const mostModule = 4096;

/**
 * Where each thread has the variable, by what the loader has written into the process. `bias`: address in the process - ELF virtual address. Undefined where it
 * has not, yet.
 */
export function placeOfThreadContext(
  { offset, slots }: ThreadContextSymbol,
  bias: number,
  memory: Pick<ProcessMemory, 'bytes'>,
): ThreadContextPlace | undefined {
  for (const slot of slots) {
    const place = placeInSlot(slot, offset, bias, memory);
    if (place !== undefined) return place;
  }
  return undefined;
}

function placeInSlot(
  { kind, address }: ThreadVariableSlot,
  offset: number,
  bias: number,
  memory: Pick<ProcessMemory, 'bytes'>,
): ThreadContextPlace | undefined {
  const words = wordsAt(memory, Number(address) + bias);
  if (words === undefined) return undefined;
  const [first, second] = words;
  switch (kind) {
    case 'offset':
      return staticPlace(first);
    case 'module':
      return second === BigInt(offset) ? dynamicPlace(first, second) : undefined;
    case 'descriptor': {
      // Of a library that was there from the start the offset itself, else the address of module and offset (glibc, sysdeps/x86_64/dl-tlsdesc.h).
      const place = staticPlace(second);
      if (place !== undefined) return place;
      const pair = wordsAt(memory, Number(second));
      return pair?.[1] === BigInt(offset) ? dynamicPlace(pair[0], pair[1]) : undefined;
    }
  }
}

/** Blocks that are there from a thread's start lie below its pointer. */
function staticPlace(word: bigint): ThreadContextPlace | undefined {
  const offset = BigInt.asIntN(64, word);
  return offset < 0n && offset >= -(2n ** 31n) ? { kind: 'static', offset: Number(offset) } : undefined;
}

function dynamicPlace(module: bigint, offset: bigint): ThreadContextPlace | undefined {
  const isOne = module > 0n && module <= BigInt(mostModule);
  return isOne ? { kind: 'dynamic', module: Number(module), offset: Number(offset) } : undefined;
}

function wordsAt(memory: Pick<ProcessMemory, 'bytes'>, address: number): readonly [bigint, bigint] | undefined {
  const bytes = memory.bytes(address, 16);
  return bytes === undefined ? undefined : [bytes.readBigUInt64LE(0), bytes.readBigUInt64LE(8)];
}
