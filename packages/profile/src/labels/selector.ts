import { compileRegex, type MatchOperator, type Matcher } from './matcher.ts';
import { readQuoted } from './quoted.ts';

/** `process_cpu:cpu:nanoseconds:cpu:nanoseconds{service_name="api"}`, taken apart. */
export interface Selector {
  /** As written, not checked: see `parseProfileType`. */
  readonly profileType?: string;
  readonly matchers: readonly Matcher[];
}

export type SelectorResult =
  | { readonly ok: true; readonly selector: Selector }
  /** `offset`: where in the text, in UTF-16 units. */
  | { readonly ok: false; readonly error: { readonly message: string; readonly offset: number } };

class SelectorFailure extends Error {
  readonly offset: number;
  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

/**
 * Reads a selector of PromQL's grammar: an optional profile type, then optional matchers in braces. Values are quoted with
 * `"`, `'` (escapes as in Go) or backticks (raw); label names may be quoted; a quoted text without an operator is the profile
 * type (`{"process_cpu:…", a="b"}`); a comma may follow the last matcher. Empty text selects everything.
 */
export function parseSelector(text: string): SelectorResult {
  try {
    return { ok: true, selector: new SelectorParser(text).parse() };
  } catch (error) {
    if (error instanceof SelectorFailure) return { ok: false, error: { message: error.message, offset: error.offset } };
    throw error;
  }
}

/** The text of a selector; `parseSelector` reads it back to the same. */
export function formatSelector(selector: Selector): string {
  const matchers = selector.matchers.map(
    ({ name, operator, value }) =>
      `${NAME.test(name) ? name : JSON.stringify(name)}${operator}${JSON.stringify(value)}`,
  );
  const profileType = selector.profileType ?? '';
  if (profileType !== '' && !PLAIN_TYPE.test(profileType)) {
    return `{${[JSON.stringify(profileType), ...matchers].join(', ')}}`;
  }
  return `${profileType}{${matchers.join(', ')}}`;
}

const NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const PLAIN_TYPE = /^[^\s{}"'`,=!~]+$/;
const OPERATORS: readonly MatchOperator[] = ['=~', '!=', '!~', '='];

class SelectorParser {
  #at = 0;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  parse(): Selector {
    this.#blanks();
    let profileType = this.#take(/[^\s{}"'`,=!~]+/y);
    const matchers: Matcher[] = [];
    this.#blanks();
    if (this.#text[this.#at] === '{') {
      this.#at++;
      this.#blanks();
      while (this.#text[this.#at] !== '}') {
        const matcher = this.#matcher();
        if (typeof matcher !== 'string') matchers.push(matcher);
        else if (profileType === '') profileType = matcher;
        else this.#fail('The profile type is given twice.');
        this.#blanks();
        if (this.#text[this.#at] === ',') this.#at++;
        else if (this.#text[this.#at] !== '}') this.#expected('"," or "}"');
        this.#blanks();
      }
      this.#at++;
      this.#blanks();
    }
    if (this.#at < this.#text.length) this.#expected('the end');
    return profileType === '' ? { matchers } : { profileType, matchers };
  }

  /** A matcher, or the text of a quoted profile type. */
  #matcher(): Matcher | string {
    const quoted = this.#quoted();
    const name = quoted ?? this.#take(/[a-zA-Z_][a-zA-Z0-9_]*/y);
    if (name === '') this.#expected('a label name');
    this.#blanks();
    const next = this.#text[this.#at];
    if (quoted !== undefined && (next === ',' || next === '}')) return quoted;
    const operator = OPERATORS.find((candidate) => this.#text.startsWith(candidate, this.#at));
    if (operator === undefined) this.#expected('one of = != =~ !~');
    this.#at += operator.length;
    this.#blanks();
    const valueAt = this.#at;
    const value = this.#quoted();
    if (value === undefined) this.#expected('a quoted value');
    if (operator === '=~' || operator === '!~') {
      const regex = compileRegex(value);
      if (!regex.ok) throw new SelectorFailure(`The regular expression of ${name} is bad: ${regex.message}.`, valueAt);
    }
    return { name, operator, value };
  }

  #quoted(): string | undefined {
    const quote = this.#text[this.#at];
    if (quote !== '"' && quote !== "'" && quote !== '`') return undefined;
    const read = readQuoted(this.#text, this.#at);
    if (!read.ok) throw new SelectorFailure(read.message, read.offset);
    this.#at = read.end;
    return read.text;
  }

  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? '';
    this.#at += found.length;
    return found;
  }

  #blanks(): void {
    this.#take(/\s*/y);
  }

  #expected(what: string): never {
    const found = this.#text.codePointAt(this.#at);
    const shown = found === undefined ? 'the text ends' : `there is ${JSON.stringify(String.fromCodePoint(found))}`;
    this.#fail(`Expected ${what}, but ${shown}.`);
  }

  #fail(message: string): never {
    throw new SelectorFailure(message, this.#at);
  }
}
