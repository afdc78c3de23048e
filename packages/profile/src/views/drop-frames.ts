import { compileRegex } from '../labels/matcher.ts';
import type { LocationTable, Profile, StackTable } from '../profile.ts';
import { stackColumns } from '../tables/columns.ts';
import { GrowableU32, GrowableU64 } from '../tables/growable.ts';
import { PairTable } from '../tables/pair-table.ts';

/** Longer than any that is known (tcmalloc's has 1,100 characters); the profile's size bounds it anyway. */
const MAX_EXPRESSION = 1 << 20;

const KEEP = 0;
/** Some of the location's inlined lines go, and all that it calls. */
const CUT_BELOW = 1;
/** The whole location goes, and all that it calls. */
const CUT_HERE = 2;

/**
 * The profile without the frames that `dropFrames` names (and `keepFrames` does not) and what these call; their values go
 * to the caller. Frames before the first interesting one stay, so that no sample becomes empty. It is what `go tool pprof`
 * does before any view (google/pprof, profile/prune.go, RemoveUninteresting), and like there an expression that is none
 * drops nothing. The profile itself is answered when there is nothing to drop.
 */
export function dropUninteresting(profile: Profile): Profile {
  if (profile.dropFrames === '') return profile;
  const drop = compileRegex(profile.dropFrames, MAX_EXPRESSION);
  const keep = compileRegex(profile.keepFrames, MAX_EXPRESSION);
  if (!drop.ok || !keep.ok) return profile;
  const isDropped = droppedFunctions(profile, drop.test, keep.test);
  const { locations, actions } = cutLocations(profile.locations, isDropped);
  if (actions.every((action) => action === KEEP)) return profile;
  const { stacks, rowOf } = cutStacks(profile.stacks, actions);
  const stack = profile.samples.stack.map((row) => rowOf[row] ?? 0);
  return { ...profile, locations, stacks, samples: { ...profile.samples, stack } };
}

function droppedFunctions(
  { functions, strings, keepFrames }: Profile,
  drops: (name: string) => boolean,
  keeps: (name: string) => boolean,
): boolean[] {
  return Array.from(functions.nameString, (row) => {
    const name = strings[row] ?? '';
    if (name === '') return false;
    const simple = withoutArguments(name);
    return drops(simple) && !(keepFrames !== '' && keeps(simple));
  });
}

const PARENTHESIS = /\(anonymous namespace\)|operator\(\)|\(/g;

/** `f(int)` → `f`; a leading `.` (PowerPC's ELF v1) goes too. The same as pprof's simplifyFunc. */
function withoutArguments(name: string): string {
  const plain = name.startsWith('.') ? name.slice(1) : name;
  for (const match of plain.matchAll(PARENTHESIS)) if (match[0] === '(') return plain.slice(0, match.index);
  return plain;
}

function cutLocations(
  table: LocationTable,
  isDropped: readonly boolean[],
): { readonly locations: LocationTable; readonly actions: Uint8Array } {
  const actions = new Uint8Array(table.length);
  const lineOffset = new Uint32Array(table.length + 1);
  const lineFunction = new GrowableU32(table.lineFunction.length);
  const lineNumber = new GrowableU64(table.lineFunction.length);
  const lineColumn = new GrowableU64(table.lineFunction.length);
  for (let location = 0; location < table.length; location++) {
    const end = table.lineOffset[location + 1] ?? 0;
    let first = table.lineOffset[location] ?? 0;
    // From the outermost line inwards: the first one dropped takes what is inlined into it along.
    for (let line = end - 1; line >= first; line--) {
      if (isDropped[table.lineFunction[line] ?? 0] !== true) continue;
      actions[location] = line === end - 1 ? CUT_HERE : CUT_BELOW;
      if (line < end - 1) first = line + 1;
      break;
    }
    lineOffset[location] = lineFunction.length;
    for (let line = first; line < end; line++) {
      lineFunction.push(table.lineFunction[line] ?? 0);
      pushInt64(lineNumber, table.lineNumber[line] ?? 0n);
      pushInt64(lineColumn, table.lineColumn[line] ?? 0n);
    }
  }
  lineOffset[table.length] = lineFunction.length;
  const locations = {
    ...table,
    lineOffset,
    lineFunction: lineFunction.toArray(),
    lineNumber: lineNumber.toSigned(),
    lineColumn: lineColumn.toSigned(),
  };
  return { locations, actions };
}

function pushInt64(column: GrowableU64, value: bigint): void {
  column.push(Number(value & 0xffff_ffffn), Number((value >> 32n) & 0xffff_ffffn));
}

/** `rowOf[s]`: the new row of stack `s`. Parents come first, so each stack knows whether it lies below a cut. */
function cutStacks(
  table: StackTable,
  actions: Uint8Array,
): { readonly stacks: StackTable; readonly rowOf: Uint32Array } {
  const stacks = new PairTable(table.length);
  stacks.intern(0, 0);
  const rowOf = new Uint32Array(table.length);
  const isCut = new Uint8Array(table.length);
  /** An interesting frame was seen. */
  const isUser = new Uint8Array(table.length);
  for (let s = 1; s < table.length; s++) {
    const parent = table.parent[s] ?? 0;
    const location = table.location[s] ?? 0;
    const action = actions[location] ?? KEEP;
    const user = isUser[parent] === 1;
    isUser[s] = user || action === KEEP ? 1 : 0;
    isCut[s] = isCut[parent] === 1 || (user && action !== KEEP) ? 1 : 0;
    const isGone = isCut[parent] === 1 || (user && action === CUT_HERE);
    rowOf[s] = isGone ? (rowOf[parent] ?? 0) : stacks.intern(rowOf[parent] ?? 0, location);
  }
  return { stacks: stackColumns(stacks), rowOf };
}
