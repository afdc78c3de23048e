import { RE2JS, RE2JSException } from 're2js';
import type { Labels } from './labels.ts';

export type MatchOperator = '=' | '!=' | '=~' | '!~';

/** One condition of a selector. An absent label is matched as `''`. */
export interface Matcher {
  readonly name: string;
  readonly operator: MatchOperator;
  /** The text, or for `=~` and `!~` a regular expression in RE2's syntax, which must match the whole value. */
  readonly value: string;
}

/** Length of a regular expression in UTF-16 units; its compiled size grows with it. */
export const MAX_REGEX_LENGTH = 4096;

export type RegexResult =
  | { readonly ok: true; readonly test: (value: string) => boolean }
  | { readonly ok: false; readonly message: string };

/**
 * Compiles a regular expression of RE2's syntax, fully anchored, `.` matching newlines too (as Prometheus does). Matching
 * takes time linear in the value whatever the expression (re2js runs automata, without backtracking), so a hostile one
 * cannot stall its reader; its length is limited too, and RE2 refuses repetitions above 1000.
 */
export function compileRegex(source: string, maxLength = MAX_REGEX_LENGTH): RegexResult {
  if (source.length > maxLength) {
    return { ok: false, message: `the regular expression is longer than ${maxLength} characters` };
  }
  try {
    const compiled = RE2JS.compile(source, RE2JS.DOTALL);
    return { ok: true, test: (value) => compiled.testExact(value) };
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    // The flag that was added is none of the writer's.
    return { ok: false, message: error.message.replace('`(?s)', '`') };
  }
}

/**
 * Makes a test of all matchers together. Verdicts on values are remembered, since a few values stand for many samples.
 * Throws a RangeError on a bad regular expression: matchers from `parseSelector` have none.
 */
export function compileMatchers(matchers: readonly Matcher[]): (labels: Labels) => boolean {
  const tests = matchers.map((matcher) => ({ name: matcher.name, test: compileMatcher(matcher) }));
  return (labels) => tests.every(({ name, test }) => test(Object.hasOwn(labels, name) ? (labels[name] ?? '') : ''));
}

/** Whether the labels satisfy all matchers. For many label sets compile once with `compileMatchers`. */
export function matchLabels(matchers: readonly Matcher[], labels: Labels): boolean {
  return compileMatchers(matchers)(labels);
}

/** A test of one matcher on a label's value. Throws a RangeError on a bad regular expression. */
export function compileMatcher(matcher: Matcher): (value: string) => boolean {
  const { operator, value: wanted } = matcher;
  switch (operator) {
    case '=':
      return (value) => value === wanted;
    case '!=':
      return (value) => value !== wanted;
    case '=~':
    case '!~': {
      const regex = compileRegex(wanted);
      if (!regex.ok) throw new RangeError(`${JSON.stringify(wanted)}: ${regex.message}`);
      const test = remembered(regex.test);
      return operator === '=~' ? test : (value) => !test(value);
    }
  }
}

/** Enough for the values of one label in a query; beyond it nothing more is remembered. */
const MAX_REMEMBERED = 10_000;

function remembered(test: (value: string) => boolean): (value: string) => boolean {
  const verdicts = new Map<string, boolean>();
  return (value) => {
    const known = verdicts.get(value);
    if (known !== undefined) return known;
    const verdict = test(value);
    if (verdicts.size < MAX_REMEMBERED) verdicts.set(value, verdict);
    return verdict;
  };
}
