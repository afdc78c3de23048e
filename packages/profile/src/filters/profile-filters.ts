import { compileFilterRegex, type FilterRegex } from './filter-regex.ts';
import { compileTagFilter, type TagFilter } from './tag-filter.ts';

/** The filters of google/pprof, by their names there; each value as it is typed. Left out or empty: not set. */
export const filterNames = [
  'focus',
  'ignore',
  'hide',
  'show',
  'show_from',
  'tagfocus',
  'tagignore',
  'tagshow',
  'taghide',
] as const;
export type FilterName = (typeof filterNames)[number];
export type FilterTexts = { readonly [Name in FilterName]?: string | undefined };

/** Compiled filters; they hold remembered verdicts and may be used for many profiles. */
export interface ProfileFilters {
  /** Only samples with a frame whose function, file or mapping matches. */
  readonly focus?: FilterRegex;
  /** No samples with such a frame. */
  readonly ignore?: FilterRegex;
  /** Without such frames. */
  readonly hide?: FilterRegex;
  /** Without other frames. */
  readonly show?: FilterRegex;
  /** Without the frames above the outermost match; samples without one go. */
  readonly showFrom?: FilterRegex;
  readonly tagFocus?: TagFilter;
  readonly tagIgnore?: TagFilter;
  /** Without labels whose name does not match, without those whose name does. */
  readonly tagShow?: FilterRegex;
  readonly tagHide?: FilterRegex;
}

export type FiltersResult =
  | { readonly ok: true; readonly filters: ProfileFilters }
  | { readonly ok: false; readonly name: FilterName; readonly message: string };

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

export function compileFilters(texts: FilterTexts): FiltersResult {
  const filters: Mutable<ProfileFilters> = {};
  for (const name of filterNames) {
    const text = texts[name];
    if (text === undefined || text === '') continue;
    if (name === 'tagfocus' || name === 'tagignore') {
      const compiled = compileTagFilter(text);
      if (!compiled.ok) return { ok: false, name, message: compiled.message };
      filters[name === 'tagfocus' ? 'tagFocus' : 'tagIgnore'] = compiled.filter;
      continue;
    }
    const compiled = compileFilterRegex(text);
    if (!compiled.ok) return { ok: false, name, message: compiled.message };
    const keys = { show_from: 'showFrom', tagshow: 'tagShow', taghide: 'tagHide' } as const;
    filters[name === 'focus' || name === 'ignore' || name === 'hide' || name === 'show' ? name : keys[name]] =
      compiled.test;
  }
  return { ok: true, filters };
}

/** Whether any filter looks at the labels of samples. */
export function usesTags({ tagFocus, tagIgnore, tagShow, tagHide }: ProfileFilters): boolean {
  return [tagFocus, tagIgnore, tagShow, tagHide].some((filter) => filter !== undefined);
}

export function isUnfiltered(filters: ProfileFilters): boolean {
  return Object.keys(filters).length === 0;
}
