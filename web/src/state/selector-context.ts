/** What the caret in a selector stands in, and which part of the text a chosen completion replaces. */
export type SelectorContext =
  | { readonly kind: 'name'; readonly typed: string; readonly start: number; readonly end: number }
  | {
      readonly kind: 'value';
      readonly name: string;
      readonly typed: string;
      readonly start: number;
      readonly end: number;
    }
  | { readonly kind: 'none' };

const namePattern = /[{,]\s*([a-zA-Z_][a-zA-Z0-9_.]*|)$/u;
const valuePattern = /[{,]\s*([a-zA-Z_][a-zA-Z0-9_.]*)\s*(?:=~|!~|!=|=)\s*(?:"((?:[^"\\]|\\.)*))?$/u;

/** Looks only at what stands before the caret, so that unfinished text is understood. */
export function selectorContext(text: string, caret: number): SelectorContext {
  const before = text.slice(0, caret);
  const inQuotes = (before.replaceAll(/\\./gu, '').split('"').length - 1) % 2 === 1;
  const value = valuePattern.exec(before);
  if (value?.[1] !== undefined && (inQuotes || value[2] === undefined)) {
    const typed = value[2] ?? '';
    const start = value[2] === undefined ? caret : caret - typed.length - 1;
    const rest = /^[^",}]*"?/u.exec(text.slice(caret))?.[0] ?? '';
    return { kind: 'value', name: value[1], typed: typed.replaceAll(/\\(.)/gu, '$1'), start, end: caret + rest.length };
  }
  if (inQuotes) return { kind: 'none' };
  const name = namePattern.exec(before === '' ? '{' : before);
  if (name === null) return { kind: 'none' };
  const typed = name[1] ?? '';
  const rest = /^[a-zA-Z0-9_.]*/u.exec(text.slice(caret))?.[0] ?? '';
  return { kind: 'name', typed, start: caret - typed.length, end: caret + rest.length };
}

/** The text after a completion was taken, and where the caret stands then. */
export function complete(text: string, context: SelectorContext, choice: string): { text: string; caret: number } {
  if (context.kind === 'none') return { text, caret: text.length };
  const base = text === '' ? '{}' : text;
  const shift = text === '' ? 1 : 0;
  const insert = context.kind === 'name' ? `${choice}=""` : JSON.stringify(choice);
  const head = base.slice(0, context.start + shift) + insert;
  const tail = base.slice(context.end + shift);
  const caret = context.kind === 'name' ? head.length - 1 : head.length;
  return { text: head + (tail === '' && base.startsWith('{') ? '}' : tail), caret };
}
