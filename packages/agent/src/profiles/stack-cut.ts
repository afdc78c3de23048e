import type { LossCause } from '../health/counters.ts';
import {
  endBadRead,
  endCopyNoRoom,
  endCopyShort,
  endDepth,
  endGap,
  endLostRegister,
  endNoMapping,
  endNoTable,
  endStackOrder,
  endStale,
} from '../kernel/generated/abi.ts';
import type { ResolvedLocation } from '../symbols/symbolizer.ts';

/** Why a user stack does not reach its root: a cause of the loss `stacks_truncated`. */
export type StackCut = LossCause<'stacks_truncated'>;

const cutOfEnd: ReadonlyMap<number, StackCut> = new Map([
  [endDepth, 'depth'],
  [endNoMapping, 'no_mapping'],
  [endNoTable, 'no_table'],
  [endGap, 'gap'],
  [endBadRead, 'bad_read'],
  [endLostRegister, 'lost_register'],
  [endStackOrder, 'stack_order'],
  [endCopyShort, 'copy_short'],
  [endCopyNoRoom, 'copy_no_room'],
  [endStale, 'stale_mapping'],
]);

/** Those that a stack may end with. */
export const stackCuts: readonly StackCut[] = [...cutOfEnd.values(), 'frame_pointer'];

/** `userEnd` is an `end…` of bpf/abi.h. Undefined for a stack that is complete, or of which nobody can tell. */
export function stackCutOf(userEnd: number): StackCut | undefined {
  return cutOfEnd.get(userEnd);
}

/** The frame at the root that says it, for example `[stack cut: gap]`. */
export function cutLocation(cut: StackCut): ResolvedLocation {
  const name = `[stack cut: ${cut.replaceAll('_', ' ')}]`;
  return {
    mapping: { memoryStart: 0n, memoryLimit: 0n, fileOffset: 0n, file: 'everflame', buildId: '' },
    address: 0n,
    kind: 'unsymbolized',
    lines: [{ name, systemName: name, file: '', line: 0, startLine: 0 }],
  };
}
