import type { ProcessMapping } from './process.ts';

/** Index of the first mapping whose end is above `address`; `mappings.length` when there is none. */
function firstEndingAfter(mappings: readonly ProcessMapping[], address: bigint): number {
  let low = 0;
  let high = mappings.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const mapping = mappings[middle];
    if (mapping === undefined || mapping.end > address) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The mapping that holds `address`. */
export function findMapping(mappings: readonly ProcessMapping[], address: bigint): ProcessMapping | undefined {
  const found = mappings[firstEndingAfter(mappings, address)];
  return found !== undefined && found.start <= address ? found : undefined;
}

/** Do both say the same of the addresses that they share? A scan knows device and inode, a record mostly the build ID. */
export function agree(one: ProcessMapping, other: ProcessMapping): boolean {
  if (one.path !== other.path) return false;
  if (one.path === '//anon') return true;
  if (one.start - one.fileOffset !== other.start - other.fileOffset) return false;
  if (one.buildId !== '' && other.buildId !== '') return one.buildId === other.buildId;
  if (one.inode !== 0n && other.inode !== 0n) return one.inode === other.inode && one.device === other.device;
  return true;
}

function isSame(one: ProcessMapping, other: ProcessMapping): boolean {
  return one.start === other.start && one.end === other.end && agree(one, other);
}

/** `scanned`, a whole list, with the mappings that are known already in place of their equals: those carry build IDs. */
export function reconcileMappings(
  known: readonly ProcessMapping[],
  scanned: readonly ProcessMapping[],
): readonly ProcessMapping[] {
  return scanned.map((mapping) => {
    const before = findMapping(known, mapping.start);
    return before !== undefined && isSame(before, mapping) ? before : mapping;
  });
}

/** What is left of `mapping` outside `[start, end)`. */
function remainders(mapping: ProcessMapping, start: bigint, end: bigint): ProcessMapping[] {
  const left: ProcessMapping[] = [];
  if (mapping.start < start) left.push({ ...mapping, end: start });
  if (mapping.end > end) {
    left.push({ ...mapping, start: end, fileOffset: mapping.fileOffset + (end - mapping.start) });
  }
  return left;
}

export interface Insertion {
  /** The list that was given when nothing changed, else a new one. */
  readonly mappings: readonly ProcessMapping[];
  /** An address that meant one file means another now, so samples from before need the list from before. */
  readonly isReplaced: boolean;
}

/** `mappings` with `added` over whatever was in its range, as mmap(MAP_FIXED) does it. Sorted and disjoint, before and after. */
export function insertMapping(mappings: readonly ProcessMapping[], added: ProcessMapping): Insertion {
  if (added.end <= added.start) return { mappings, isReplaced: false };
  const from = firstEndingAfter(mappings, added.start);
  let to = from;
  let isReplaced = false;
  const kept: ProcessMapping[] = [];
  for (let other = mappings[to]; other !== undefined && other.start < added.end; other = mappings[to]) {
    if (isSame(other, added)) return { mappings, isReplaced: false };
    isReplaced ||= !agree(other, added);
    kept.push(...remainders(other, added.start, added.end));
    to++;
  }
  const after = kept.filter((each) => each.start >= added.end);
  const before = kept.filter((each) => each.start < added.start);
  return { mappings: mappings.slice(0, from).concat(before, added, after, mappings.slice(to)), isReplaced };
}
