import {
  aarch64,
  findUnwindMapping,
  type FrameNote,
  i386,
  StackMemory,
  type UnwindEnd,
  UnwindState,
  unwindStack,
  x86_64,
} from '@everflame/binary';
import { arch } from 'node:os';
import {
  copyBytes,
  copyOffset,
  endBadRead,
  endComplete,
  endCopyShort,
  endDepth,
  endGap,
  endLostRegister,
  endNoMapping,
  endNone,
  endNoTable,
  endStackOrder,
  endZeroReturn,
  maxTopBytes,
  maxUserFrames,
  registers as registerCount,
} from '../kernel/generated/abi.ts';
import type { ProcessMapping } from '../processes/process.ts';
import type { ProcessImage } from '../processes/process-image.ts';
import { wordIn } from '../runtimes/process-memory.ts';
import { CopiedPython } from '../runtimes/python/copied-python.ts';
import { PythonStack } from '../runtimes/python/python-stack.ts';
import type { ProcessSpaces, SpaceMapping } from './process-space.ts';
import type { TableModule, TableStore } from './table-store.ts';

const architecture = arch() === 'arm64' ? aarch64 : x86_64;
const architectureOf32Bits = arch() === 'arm64' ? aarch64 : i386;

/** A stack that the kernel part has copied. */
export interface StackCopy {
  readonly image: ProcessImage;
  /** Of the image when the sample was taken. */
  readonly mappings: readonly ProcessMapping[];
  /** An ef_copy and the stack after it, as in the ring. */
  readonly copy: Uint8Array;
  /** Of the stack from SP on. */
  readonly stackBytes: number;
  /** Of the top of the main stack, the last ones of the `maxTopBytes` behind it; 0 without. */
  readonly topBytes: number;
  /** Of Python's frames at the end of `copy`; 0 without. */
  readonly pythonBytes: number;
  /** The sample was taken while the program was in the kernel. */
  readonly isInKernel: boolean;
  /** What pthread_self answers in the thread; 0: not known. */
  readonly threadPointer: number;
  /** Of an i386 program. */
  readonly is32Bit: boolean;
  /** The kernel part knew the process, and has put down what labels there were. */
  readonly isKnown: boolean;
}

/** A user stack that was unwound from its copy. */
export interface UnwoundCopy {
  /** Addresses in the process: of the leaf the instruction, of callers the return address - 1. */
  readonly addresses: readonly number[];
  /** Of each frame; see bpf/abi.h. */
  readonly notes: readonly (readonly FrameNote[] | undefined)[];
  readonly guessedFrom: number;
  /** `end…` of bpf/abi.h. */
  readonly end: number;
  /** The program sets labels; whether it had any there is not known any more. */
  readonly lacksLabels: boolean;
}

/** A table that is needed first. */
export interface MissingTable {
  readonly module: TableModule;
}

const ends: Record<UnwindEnd, number> = {
  complete: endComplete,
  depth: endDepth,
  no_mapping: endNoMapping,
  no_table: endNoTable,
  gap: endGap,
  bad_read: endBadRead,
  lost_register: endLostRegister,
  stack_order: endStackOrder,
  zero_return: endZeroReturn,
  // Asked for without its table, when there was no more time to wait for it.
  pending: endNoTable,
};

/** Unwinds stacks that the kernel part has copied, with the tables that it has or is about to have. */
export class CopyUnwinder {
  readonly #store: TableStore;
  readonly #spaces: ProcessSpaces;
  readonly #state64 = new UnwindState(architecture);
  readonly #state32 = new UnwindState(architectureOf32Bits);

  constructor(store: TableStore, spaces: ProcessSpaces) {
    this.#store = store;
    this.#spaces = spaces;
  }

  /**
   * Asks for the table that is missing, if one is; where `mayWait` is false, the
   * stack ends there.
   */
  unwind(stackCopy: StackCopy, mayWait: boolean): UnwoundCopy | MissingTable {
    const { image, mappings, isInKernel, stackBytes, is32Bit } = stackCopy;
    const space = this.#spaces.of(image, mappings);
    const state = is32Bit ? this.#state32 : this.#state64;
    const memory = load(stackCopy, state);
    // The kernel is about to execute a program: its memory is the new one's already, its registers are still the old one's.
    if (isInKernel && (stackBytes === 0 || findUnwindMapping(space, state.pc) < 0)) {
      return { addresses: [], notes: [], guessedFrom: 0, end: endNone, lacksLabels: false };
    }
    const python = pythonStackOf(space, state, memory, stackCopy);
    const stack = unwindStack(state, memory, space, maxUserFrames, python);
    const last = space[stack.mappings.at(-1) ?? -1];
    if (stack.end === 'pending' && last?.module !== undefined && mayWait) {
      this.#store.need(image, last.mapping, last.module);
      // A need may be refused at once; then the mapping is not pending any more.
      if (last.unwind.by === 'pending') return { module: last.module };
      return this.unwind(stackCopy, mayWait);
    }
    this.#touch(space, stack.mappings);
    if (python !== undefined) this.#spaces.miss(python.missed);
    const isShort = stack.end === 'bad_read' && memory.isOutside;
    return {
      addresses: stack.addresses,
      notes: stack.notes,
      guessedFrom: stack.guessedFrom,
      end: isShort ? endCopyShort : ends[stack.end],
      lacksLabels:
        !stackCopy.isKnown &&
        (stackCopy.image.context?.place !== undefined || space.some(({ module }) => module?.goLabels !== undefined)),
    };
  }

  #touch(space: readonly SpaceMapping[], used: readonly number[]): void {
    const now = performance.now();
    for (const index of used) {
      const module = space[index]?.module;
      if (module !== undefined) module.usedMs = now;
    }
  }
}

/** What is known of the Python that a stack goes through. */
function pythonStackOf(
  space: readonly SpaceMapping[],
  state: UnwindState,
  stack: CopiedStack,
  { copy, pythonBytes, threadPointer }: StackCopy,
): PythonStack | CopiedPython | undefined {
  const place = space.find(({ python }) => python !== undefined)?.python;
  if (place === undefined) return undefined;
  // The kernel part knew the process, and wrote down what it ran.
  if (pythonBytes > 0) return new CopiedPython(place, copy.subarray(copy.length - pythonBytes));
  const { layout, bias, memory } = place;
  return new PythonStack({
    layout,
    bias,
    stack,
    memory,
    threadPointer,
    registers: state.registers.slice(),
    sp: state.sp,
  });
}

/** Sets `state` to the registers of a copy; answers its memory. */
function load({ copy, stackBytes, topBytes }: StackCopy, state: UnwindState): CopiedStack {
  const view = new DataView(copy.buffer, copy.byteOffset, copyBytes);
  const word = (at: number): number => view.getUint32(at + 4, true) * 2 ** 32 + view.getUint32(at, true);
  for (let i = 0; i < registerCount; i++) state.registers[i] = word(copyOffset.registers + 8 * i);
  state.pc = word(copyOffset.pc);
  state.isReturnAddress = false;
  state.hasAll = true;
  state.hasFp = true;
  state.hasRbx = true;
  state.hasLeafRegisters = false;
  state.isGuessed = false;
  const stack = copy.subarray(copyBytes, copyBytes + stackBytes);
  const startStack = word(copyOffset.startStack);
  const topAt = copyBytes + stackBytes + maxTopBytes - topBytes;
  const top =
    topBytes === 0 ? undefined : new StackMemory(copy.subarray(topAt), startStack - (startStack % 8) - topBytes);
  return new CopiedStack(stack, state.sp, top);
}

/** The stack from SP on, and the top of the main stack where that is another one. Remembers that a read went above the first. */
class CopiedStack extends StackMemory {
  isOutside = false;
  readonly #bytes: Buffer;
  readonly #base: number;
  readonly #end: number;
  readonly #top: StackMemory | undefined;

  constructor(bytes: Uint8Array, base: number, top: StackMemory | undefined) {
    super(bytes, base);
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#base = base;
    this.#end = base + bytes.length;
    this.#top = top;
  }

  /** Of the part from SP on; undefined where it is not all in it. */
  bytes(address: number, length: number): Buffer | undefined {
    const at = address - this.#base;
    return at >= 0 && length >= 0 && at + length <= this.#bytes.length
      ? this.#bytes.subarray(at, at + length)
      : undefined;
  }

  word(address: number): number | undefined {
    const bytes = this.bytes(address, 8);
    return bytes === undefined ? undefined : wordIn(bytes, 0);
  }

  override load(address: number, wordBytes: 4 | 8): boolean {
    if (super.load(address, wordBytes)) return true;
    if (this.#top?.load(address, wordBytes) === true) {
      this.low = this.#top.low;
      this.high = this.#top.high;
      return true;
    }
    this.isOutside ||= address >= this.#end - 7 && address < this.#end + 2 ** 24;
    return false;
  }
}
