import type { http } from '@everflame/protocols';
import { formatTable } from '../render/table.ts';

/** One function on both sides, all forms of it that a JIT compiler made together. */
export interface Change {
  readonly name: string;
  /** Self value as a share of its side, 0–1; 0 where the function does not occur. */
  readonly shareBefore: number;
  readonly shareAfter: number;
}

/** `JS:*renderInvoice file:///shop/invoice.mjs:44:30`, as V8 writes it to a perf map: the tier is one mark or more before the name. */
const v8Name = /^(?:JS|LazyCompile|Function|Script|Eval):[~^+*']*(?<name>[^\s]*) (?<place>\S+?)(?::\d+){0,2}$/u;

/** What V8 calls a function in each of its tiers, as a person calls it: `renderInvoice invoice.mjs`. Other names stay as they are. */
export function readableName(name: string): string {
  const parts = v8Name.exec(name)?.groups;
  if (parts === undefined) return name;
  const called = parts['name'] === undefined || parts['name'] === '' ? '(anonymous)' : parts['name'];
  const file = parts['place']?.split('/').at(-1) ?? '';
  return file === '' ? called : `${called} ${file}`;
}

/** The functions whose share of their side's self value changed most, the largest change first; equal ones by name. */
export function topChanges(functions: http.DiffAnswer['functions'], count: number): Change[] {
  const changes = new Map<string, { name: string; shareBefore: number; shareAfter: number }>();
  for (const row of functions) {
    const name = readableName(row.name);
    const change = changes.get(name) ?? { name, shareBefore: 0, shareAfter: 0 };
    change.shareBefore += row.shareBefore ?? 0;
    change.shareAfter += row.shareAfter ?? 0;
    changes.set(name, change);
  }
  const sizeOf = (change: Change) => Math.abs(change.shareAfter - change.shareBefore);
  return [...changes.values()]
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
