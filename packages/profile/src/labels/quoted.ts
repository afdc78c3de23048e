export type QuotedResult =
  /** `end`: behind the closing quote. */
  | { readonly ok: true; readonly text: string; readonly end: number }
  | { readonly ok: false; readonly message: string; readonly offset: number };

const SIMPLE: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '/': '/',
  '"': '"',
  "'": "'",
};

const CODED = /(?:x(?<x>[0-9a-fA-F]{2})|u(?<u>[0-9a-fA-F]{4})|U(?<U>[0-9a-fA-F]{8})|(?<o>[0-7]{3}))/y;

/**
 * Reads the quoted text that begins at `start`: double and single quotes with Go's escapes (and JSON's `\/`), backticks
 * raw. `\xHH` and `\OOO` are characters below U+0100, where Go has bytes.
 */
export function readQuoted(source: string, start: number): QuotedResult {
  const quote = source[start] ?? '';
  if (quote === '`') {
    const end = source.indexOf('`', start + 1);
    if (end < 0) return unclosed(start);
    return { ok: true, text: source.slice(start + 1, end), end: end + 1 };
  }
  let text = '';
  let at = start + 1;
  for (;;) {
    const char = source[at];
    if (char === undefined || char === '\n') return unclosed(start);
    if (char === quote) return { ok: true, text, end: at + 1 };
    if (char !== '\\') {
      text += char;
      at++;
      continue;
    }
    const escape = readEscape(source, at + 1);
    if (escape === undefined) {
      return {
        ok: false,
        message: `The escape \\${source[at + 1] ?? ''} is not known; for a backslash write \\\\.`,
        offset: at,
      };
    }
    text += escape.text;
    at = escape.end;
  }
}

function unclosed(offset: number): QuotedResult {
  return { ok: false, message: 'The quote that begins here is not closed.', offset };
}

function readEscape(source: string, at: number): { readonly text: string; readonly end: number } | undefined {
  const char = source[at] ?? '';
  if (Object.hasOwn(SIMPLE, char)) return { text: SIMPLE[char] ?? '', end: at + 1 };
  CODED.lastIndex = at;
  const match = CODED.exec(source);
  if (match === null) return undefined;
  const { x, u, U, o } = match.groups ?? {};
  const code = o === undefined ? Number.parseInt(x ?? u ?? U ?? '', 16) : Number.parseInt(o, 8);
  if (code > 0x10_ffff) return undefined;
  return { text: String.fromCodePoint(code), end: at + match[0].length };
}
