import type { UnwindMemory } from './unwind-memory.ts';
import type { UnwindState } from './unwind-state.ts';
import { unwindByFrameRecord, unwindStep, type UnwindStepOutcome } from './unwind-step.ts';
import { findUnwindRow, type UnwindRows } from './unwind-table.ts';
import { type FrameNote, unwindV8Frame, type V8Code } from './v8-frame.ts';

/** Executable memory of a process. Addresses are the process's. */
export interface UnwindMapping {
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
  /** ELF virtual address = process address - bias. */
  readonly bias: number;
  /**
   * `table`: a file's or the vDSO's. `frame_pointer`: code of a just-in-time compiler, which keeps frame pointers. `v8`: V8's. `none`: nothing is known
   * of how this code keeps its stack; frame pointers are tried. `pending`: its table is still being made.
   */
  readonly unwind:
    | { readonly by: 'table'; readonly table: UnwindRows }
    | { readonly by: 'frame_pointer' }
    | { readonly by: 'v8'; readonly code: V8Code }
    | { readonly by: 'none' }
    | { readonly by: 'pending' };
  /** It has the loop of an interpreter, whose functions have no frames of their own there. */
  readonly holdsInterpreter?: boolean;
}

/** What an interpreter was running when a stack was taken. */
export interface InterpreterStack {
  /**
   * Notes of the functions that run in the native frame of `address`, innermost first; `sp`: of its caller. Asked for each frame in a mapping that
   * `holdsInterpreter`, from the leaf on.
   */
  take(address: number, sp: number): readonly FrameNote[];
}

/**
 * Why a stack ends: `complete` at its root; `depth` by the limit; `no_mapping`: a return address in no executable mapping; `no_table`: no table
 * for the mapping and no frame pointer; `pending`: the last frame's table is not there yet; for the others see `unwindStep`.
 */
export type UnwindEnd = Exclude<UnwindStepOutcome, 'caller'> | 'depth' | 'no_mapping' | 'no_table' | 'pending';

/** A stack from the leaf to the root. */
export interface UnwoundStack {
  /** Process addresses: of the leaf the instruction, of callers the return address - 1. */
  readonly addresses: number[];
  /** Of each frame: its index in the mappings; -1 for a leaf outside of them. */
  readonly mappings: number[];
  /** Of each frame whose function the address alone does not tell. */
  readonly notes: readonly (readonly FrameNote[] | undefined)[];
  /** Frames from this one on were found through a frame pointer where none is promised; `addresses.length` where none was. */
  readonly guessedFrom: number;
  readonly end: UnwindEnd;
}

/** The frame of a function that allocates more than this on the stack is not believed when it comes from a guess. */
const widestGuess = 1024 * 1024;

/** The mapping that holds `address`, by binary search; `mappings` are sorted and do not overlap. -1: none. */
export function findUnwindMapping(mappings: readonly UnwindMapping[], address: number): number {
  let low = 0;
  let high = mappings.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((mappings[middle]?.end ?? 0) <= address) low = middle + 1;
    else high = middle;
  }
  return address >= (mappings[low]?.start ?? Infinity) ? low : -1;
}

/**
 * Unwinds from `state` (which it changes) to the root. The kernel part's twin in user space: for samples whose process or tables the
 * kernel did not know yet, and for tests.
 */
export function unwindStack(
  state: UnwindState,
  memory: UnwindMemory,
  mappings: readonly UnwindMapping[],
  mostFrames: number,
  interpreter?: InterpreterStack,
): UnwoundStack {
  const addresses: number[] = [];
  const frameMappings: number[] = [];
  const notes: (readonly FrameNote[] | undefined)[] = [];
  let guessedFrom = Infinity;
  const ended = (end: UnwindEnd): UnwoundStack => ({
    addresses,
    mappings: frameMappings,
    notes,
    guessedFrom: Math.min(guessedFrom, addresses.length),
    end,
  });
  const isCompiled = (address: number): boolean => {
    const unwind = mappings[findUnwindMapping(mappings, address)]?.unwind;
    return unwind?.by === 'v8' && !unwind.code.holdsBuiltins;
  };
  /** Why the last step had to guess; undefined when it knew. */
  let gap: UnwindEnd | undefined;
  while (addresses.length < mostFrames) {
    const address = state.lookupPc;
    const index = findUnwindMapping(mappings, address);
    const mapping = mappings[index];
    // Something that is no code is no frame, unless the program really ran there.
    if (mapping === undefined && addresses.length > 0) return ended(gap ?? 'no_mapping');
    addresses.push(address);
    frameMappings.push(index);
    if (mapping === undefined) return ended('no_mapping');
    const { unwind } = mapping;
    if (unwind.by === 'pending') return ended('pending');
    if (unwind.by === 'frame_pointer') {
      gap = undefined;
      const outcome = unwindByFrameRecord(state, memory, false);
      if (outcome !== 'caller') return ended(outcome);
      continue;
    }
    if (unwind.by === 'v8') {
      gap = undefined;
      const isCallerOfLeaf = addresses.length === 2 && notes.length === 0;
      const { outcome, note, caller } = unwindV8Frame(state, memory, unwind.code, isCompiled, isCallerOfLeaf);
      if (caller !== undefined) {
        addresses.push(caller - 1);
        frameMappings.push(findUnwindMapping(mappings, caller - 1));
      }
      if (note !== undefined) notes[addresses.length - 1] = [note];
      if (outcome !== 'caller') return ended(outcome);
      continue;
    }
    const element =
      unwind.by === 'table' ? findUnwindRow(unwind.table, address - mapping.bias - unwind.table.base) : -1;
    const outcome = unwind.by === 'table' && element >= 0 ? unwindStep(unwind.table, element, state, memory) : 'gap';
    gap = undefined;
    if (outcome === 'caller') {
      if (mapping.holdsInterpreter === true) {
        const found = interpreter?.take(address, state.sp) ?? [];
        if (found.length > 0) notes[addresses.length - 1] = found;
      }
      if (state.isGuessed) guessedFrom = Math.min(guessedFrom, addresses.length);
      continue;
    }
    if (outcome !== 'gap') return ended(outcome);
    gap = unwind.by === 'none' ? 'no_table' : 'gap';
    if (!guess(state, memory)) return ended(gap);
    guessedFrom = Math.min(guessedFrom, addresses.length);
  }
  return ended('depth');
}

/** Where no row says how: the frame pointer, if it could be one. */
function guess(state: UnwindState, memory: UnwindMemory): boolean {
  const { fp, sp } = state;
  if (!state.hasFp || fp < sp || fp > sp + widestGuess || fp % state.architecture.wordBytes !== 0) return false;
  return unwindByFrameRecord(state, memory, false) === 'caller';
}
