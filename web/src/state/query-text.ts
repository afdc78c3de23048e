import { formatSelector, parseSelector } from '@everflame/profile';

/** A query is a profile type followed by a selector in braces; either may be missing. */
export interface QueryParts {
  readonly type: string;
  readonly selector: string;
}

export function splitQuery(query: string): QueryParts {
  const brace = query.indexOf('{');
  return brace === -1
    ? { type: query.trim(), selector: '' }
    : { type: query.slice(0, brace).trim(), selector: query.slice(brace).trim() };
}

/** A selector that says nothing is left out. */
export function joinQuery({ type, selector }: QueryParts): string {
  return type + (/^\{\s*\}$/u.test(selector) ? '' : selector.trim());
}

export type QueryCheck =
  | { readonly ok: true }
  | { readonly ok: false; readonly message: string; readonly offset: number };

export function checkSelector(selector: string): QueryCheck {
  if (selector.trim() === '') return { ok: true };
  if (!selector.trimStart().startsWith('{')) {
    return { ok: false, message: 'labels stand in braces, like {service_name="api"}', offset: 0 };
  }
  const parsed = parseSelector(selector);
  return parsed.ok ? parsed : { ok: false, ...parsed.error };
}

/** The selector with `name="value"` in place of whatever it said about that label. An unreadable selector is replaced. */
export function withLabel(selector: string, name: string, value: string): string {
  const parsed = parseSelector(selector === '' ? '{}' : selector);
  const others = parsed.ok ? parsed.selector.matchers.filter((matcher) => matcher.name !== name) : [];
  return formatSelector({ matchers: [...others, { name, operator: '=', value }] });
}

/** The selector without anything about that label. */
export function withoutLabel(selector: string, name: string): string {
  const parsed = parseSelector(selector === '' ? '{}' : selector);
  if (!parsed.ok) return selector;
  const others = parsed.selector.matchers.filter((matcher) => matcher.name !== name);
  return others.length === 0 ? '' : formatSelector({ matchers: others });
}

/** Value that the selector demands of a label exactly; '' when it demands none. */
export function labelIn(selector: string, name: string): string {
  const parsed = parseSelector(selector === '' ? '{}' : selector);
  if (!parsed.ok) return '';
  return parsed.selector.matchers.find((matcher) => matcher.name === name && matcher.operator === '=')?.value ?? '';
}
