import type { LocationTable, Profile } from '../profile.ts';
import { GrowableU32 } from '../tables/growable.ts';
import type { FilterRegex } from './filter-regex.ts';
import type { ProfileFilters } from './profile-filters.ts';

/** Bits of what a location means to the filters. */
export const FOCUSED = 1;
export const IGNORED = 2;
export const HIDDEN = 4;
export const SHOWN_FROM = 8;

export interface FilteredFrames {
  /** Whether a filter looks at names at all. */
  readonly isNamed: boolean;
  readonly showsFrom: boolean;
  readonly locations: Profile['locations'];
  /** By location, the bits above. */
  readonly marks: Uint8Array;
}

/** Names that are matched between two calls of `check`. */
const CHECK_EVERY = 8;

/** Decides on each location, and cuts the inlined lines that are not to be seen. */
export function filterLocations(profile: Profile, filters: ProfileFilters, check: () => void): FilteredFrames {
  const { locations } = profile;
  const { focus, ignore, hide, show, showFrom } = filters;
  const marks = new Uint8Array(locations.length);
  const showsFrom = showFrom !== undefined;
  const isFiltered = [focus, ignore, hide, show].some((filter) => filter !== undefined);
  if (!isFiltered && !showsFrom) return { isNamed: false, showsFrom, locations, marks };
  const names = new Names(profile, check);
  const matches = {
    focus: focus && names.matching(focus),
    ignore: ignore && names.matching(ignore),
    hide: hide && names.matching(hide),
    show: show && names.matching(show),
    showFrom: showFrom && names.matching(showFrom),
  };
  const lines = new CutLines(locations);
  for (let location = 0; location < locations.length; location++) {
    let mark = 0;
    lines.begin(location);
    if (location > 0) {
      // In this order, each on what the one before has left of the lines.
      if (matches.ignore !== undefined && matches.ignore.any(lines, location)) mark |= IGNORED;
      else if (matches.focus === undefined || matches.focus.any(lines, location)) mark |= FOCUSED;
      if (matches.hide !== undefined && matches.hide.any(lines, location)) {
        const { hide: hidden } = matches;
        lines.keep((row) => !hidden.mapping(location) && !hidden.named(row));
        if (lines.count === 0) mark |= HIDDEN;
      }
      if (matches.show !== undefined) {
        const { show: shown } = matches;
        // A line without a function stays; a location without lines goes, whatever its mapping.
        lines.keep((row) => row === 0 || shown.mapping(location) || shown.named(row));
        if (lines.count === 0) mark |= HIDDEN;
      }
      if (matches.showFrom !== undefined) {
        const from = matches.showFrom;
        const last = lines.lastIndex((row) => from.named(row));
        if (from.mapping(location)) mark |= SHOWN_FROM;
        else if (last >= 0) {
          mark |= SHOWN_FROM;
          lines.cutBehind(last);
        }
      }
    }
    marks[location] = mark;
    lines.end();
  }
  return { isNamed: true, showsFrom, locations: lines.locations(), marks };
}

/** Which functions and mappings an expression matches. */
interface Matches {
  readonly named: (functionRow: number) => boolean;
  readonly mapping: (location: number) => boolean;
  /** A line's function, its file, or the mapping's file. */
  readonly any: (lines: CutLines, location: number) => boolean;
}

class Names {
  readonly #profile: Profile;
  readonly #check: () => void;
  #asked = 0;

  constructor(profile: Profile, check: () => void) {
    this.#profile = profile;
    this.#check = check;
  }

  matching(test: FilterRegex): Matches {
    const { functions, mappings, locations, strings } = this.#profile;
    const isMatch = (string: number | undefined): boolean => {
      if (this.#asked++ % CHECK_EVERY === 0) this.#check();
      return test(strings[string ?? 0] ?? '');
    };
    const functionMatches = Uint8Array.from({ length: functions.length }, (_, row) =>
      row > 0 && (isMatch(functions.nameString[row]) || isMatch(functions.fileString[row])) ? 1 : 0,
    );
    const mappingMatches = Uint8Array.from({ length: mappings.length }, (_, row) =>
      row > 0 && isMatch(mappings.fileString[row]) ? 1 : 0,
    );
    const named = (row: number) => functionMatches[row] === 1;
    const mapping = (location: number) => mappingMatches[locations.mapping[location] ?? 0] === 1;
    const any = (lines: CutLines, location: number) => lines.lastIndex(named) >= 0 || mapping(location);
    return { named, mapping, any };
  }
}

/** Writes the table of locations anew, with fewer lines. */
class CutLines {
  readonly #table: LocationTable;
  readonly #kept = new GrowableU32(1024);
  readonly #offset: Uint32Array;
  /** Rows of the source's lines that the location at hand still has. */
  #lines: number[] = [];
  #at = 0;

  constructor(table: LocationTable) {
    this.#table = table;
    this.#offset = new Uint32Array(table.length + 1);
  }

  begin(location: number): void {
    this.#at = location;
    this.#lines.length = 0;
    const end = this.#table.lineOffset[location + 1] ?? 0;
    for (let line = this.#table.lineOffset[location] ?? 0; line < end; line++) this.#lines.push(line);
  }

  get count(): number {
    return this.#lines.length;
  }

  keep(isWanted: (functionRow: number) => boolean): void {
    this.#lines = this.#lines.filter((line) => isWanted(this.#table.lineFunction[line] ?? 0));
  }

  /** The outermost line whose function is wanted; -1 when there is none. */
  lastIndex(isWanted: (functionRow: number) => boolean): number {
    return this.#lines.findLastIndex((line) => isWanted(this.#table.lineFunction[line] ?? 0));
  }

  cutBehind(index: number): void {
    this.#lines.length = index + 1;
  }

  end(): void {
    for (const line of this.#lines) this.#kept.push(line);
    this.#offset[this.#at + 1] = this.#kept.length;
  }

  locations(): LocationTable {
    const table = this.#table;
    const kept = this.#kept.toArray();
    return {
      ...table,
      lineOffset: this.#offset,
      lineFunction: kept.map((line) => table.lineFunction[line] ?? 0),
      lineNumber: BigInt64Array.from(kept, (line) => table.lineNumber[line] ?? 0n),
      lineColumn: BigInt64Array.from(kept, (line) => table.lineColumn[line] ?? 0n),
    };
  }
}
