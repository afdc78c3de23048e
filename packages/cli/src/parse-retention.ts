import { type Matcher, parseSelector } from '@everflame/profile';
import { InvalidArgumentError } from 'commander';

/** `12h`, `30d`, `8w`. Answers milliseconds. */
function parseAgeMs(text: string): number {
  const match = /^(?<number>\d+)(?<unit>[hdw])$/.exec(text);
  const hours = { h: 1, d: 24, w: 168 }[match?.groups?.['unit'] ?? ''] ?? 0;
  const ageMs = Number(match?.groups?.['number']) * hours * 3_600_000;
  if (match === null || !(ageMs > 0)) throw new InvalidArgumentError('expected a time with h, d or w, for example 30d');
  return ageMs;
}

export interface RetentionAges {
  readonly rules: readonly { readonly matchers: readonly Matcher[]; readonly maxAgeMs: number }[];
  readonly maxAgeMs?: number;
}

/** A selector in braces, in which quoted values may hold braces. */
const retentionItem =
  /\s*(?:(?<selector>\{(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`|[^"'`}])*\})\s*=\s*)?(?<age>[^\s{]+)/y;

/**
 * `30d`, `{service_name="batch"}=7d`, or several of these with blanks between them. `previous`: what the same flag said
 * before, to which this is added.
 */
export function parseRetention(text: string, previous?: RetentionAges): RetentionAges {
  const rules = [...(previous?.rules ?? [])];
  let maxAgeMs = previous?.maxAgeMs;
  const trimmed = text.trim();
  retentionItem.lastIndex = 0;
  do {
    const start = retentionItem.lastIndex;
    const { selector, age = '' } = retentionItem.exec(trimmed)?.groups ?? {};
    if (age === '') {
      const rest = trimmed.slice(start);
      throw new InvalidArgumentError(
        `expected an age or {SELECTOR}=AGE, for example 30d or '{service_name="batch"}=7d', not ${JSON.stringify(rest)}`,
      );
    }
    const ageMs = parseAgeMs(age);
    if (selector === undefined) {
      if (maxAgeMs !== undefined) throw new InvalidArgumentError('an age without a selector is given twice');
      maxAgeMs = ageMs;
      continue;
    }
    const parsed = parseSelector(selector);
    if (!parsed.ok) throw new InvalidArgumentError(`${selector}: ${parsed.error.message}`);
    const { matchers, profileType } = parsed.selector;
    if (profileType !== undefined || matchers.length === 0) {
      throw new InvalidArgumentError(`${selector}: expected labels alone, for example {service_name="batch"}`);
    }
    rules.push({ matchers, maxAgeMs: ageMs });
  } while (retentionItem.lastIndex < trimmed.length);
  return { rules, ...(maxAgeMs === undefined ? {} : { maxAgeMs }) };
}
