import { RE2JS, RE2JSException } from 're2js';

export type FilterRegex = (text: string) => boolean;

export type FilterRegexResult =
  | { readonly ok: true; readonly test: FilterRegex }
  | { readonly ok: false; readonly message: string };

/**
 * Length of an expression in UTF-16 units. Matching is linear in the text, and in the compiled expression, which a repetition
 * makes up to 1000 times as long.
 */
export const MAX_FILTER_LENGTH = 1000;
/** Verdicts that are remembered: names repeat in every profile. */
const MAX_REMEMBERED = 100_000;
const PLAIN = /^[\w /:@<>,;~&%#!"'`=-]+$/;

/** Compiles a regular expression in RE2's syntax, which is Go's: not anchored, linear time, no backtracking. */
export function compileFilterRegex(source: string): FilterRegexResult {
  if (source.length > MAX_FILTER_LENGTH) {
    return { ok: false, message: `the regular expression is longer than ${MAX_FILTER_LENGTH} characters` };
  }
  // Most expressions are a part of a name.
  if (PLAIN.test(source)) return { ok: true, test: (text) => text.includes(source) };
  try {
    const compiled = RE2JS.compile(source);
    const verdicts = new Map<string, boolean>();
    const test = (text: string): boolean => {
      const known = verdicts.get(text);
      if (known !== undefined) return known;
      const verdict = compiled.test(text);
      if (verdicts.size < MAX_REMEMBERED) verdicts.set(text, verdict);
      return verdict;
    };
    return { ok: true, test };
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    return { ok: false, message: error.message };
  }
}
