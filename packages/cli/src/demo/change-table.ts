import type { http } from '@everflame/protocols';
import { formatTable } from '../render/table.ts';

/** One function on both sides. */
export interface Change {
  readonly name: string;
  /** Self value as a share of its side, 0–1; 0 where the function does not occur. */
  readonly shareBefore: number;
  readonly shareAfter: number;
}

/** The functions whose share of their side's self value changed most, the largest change first; equal ones by name. */
export function topChanges(functions: http.DiffAnswer['functions'], count: number): Change[] {
  const changes = functions.map((row) => ({
    name: row.name,
    shareBefore: row.shareBefore ?? 0,
    shareAfter: row.shareAfter ?? 0,
  }));
  const sizeOf = (change: Change) => Math.abs(change.shareAfter - change.shareBefore);
  return changes
    .filter((change) => sizeOf(change) > 0)
    .sort((left, right) => sizeOf(right) - sizeOf(left) || (left.name < right.name ? -1 : 1))
    .slice(0, count);
}

const percent = (share: number) => `${(share * 100).toFixed(1)} %`;
const signed = (points: number) => `${points < 0 ? '−' : '+'}${Math.abs(points * 100).toFixed(1)}`;

/** Changes as a text table; shares in percent of the service's CPU, the difference in percentage points. */
export function formatChanges(changes: readonly Change[], before: string, after: string): string {
  return formatTable(changes, [
    { title: before, align: 'right', text: (change) => percent(change.shareBefore) },
    { title: after, align: 'right', text: (change) => percent(change.shareAfter) },
    { title: 'points', align: 'right', text: (change) => signed(change.shareAfter - change.shareBefore) },
    { title: 'function (self)', align: 'left', text: (change) => change.name },
  ]);
}
