import { type FilterRegex, compileFilterRegex } from './filter-regex.ts';
import { scaleUnit } from './scale-unit.ts';

/** The labels of one sample as google/pprof sees them. */
export interface SampleTags {
  readonly text: readonly { readonly key: string; readonly value: string }[];
  readonly numbers: readonly { readonly key: string; readonly value: bigint }[];
}

/** Whether a sample's labels fit. `unitOf`: the unit of a numeric label, one for the whole profile. */
export type TagFilter = (tags: SampleTags, unitOf: (key: string) => string) => boolean;

export type TagFilterResult =
  | { readonly ok: true; readonly filter: TagFilter }
  | { readonly ok: false; readonly message: string };

/**
 * Compiles what `-tagfocus` and `-tagignore` of google/pprof take (internal/driver/driver_focus.go, compileTagFilter):
 *
 * - `32kb`, `:64kb`, `4mb:`, `12kb:64mb`: numeric labels in a range, both ends included, units converted;
 * - `a,b`: regular expressions that each must match some `key:value` of a text label;
 * - `key=…`: the same for one label; here one of the expressions must match a value.
 */
export function compileTagFilter(source: string): TagFilterResult {
  const equals = source.indexOf('=');
  const wantedKey = equals < 0 ? null : source.slice(0, equals);
  const value = source.slice(equals + 1);
  const range = parseRange(value);
  if (range !== null && !range.ok) return range;
  if (range !== null) {
    return {
      ok: true,
      filter: ({ numbers }, unitOf) =>
        numbers.some((tag) => (wantedKey ?? tag.key) === tag.key && range.includes(tag.value, unitOf(tag.key))),
    };
  }
  const expressions: FilterRegex[] = [];
  for (const part of value.split(',')) {
    const compiled = compileFilterRegex(part);
    if (!compiled.ok) return compiled;
    expressions.push(compiled.test);
  }
  if (wantedKey === null) {
    return {
      ok: true,
      filter: ({ text }) => expressions.every((test) => text.some((tag) => test(`${tag.key}:${tag.value}`))),
    };
  }
  return {
    ok: true,
    filter: ({ text }) => text.some((tag) => tag.key === wantedKey && expressions.some((test) => test(tag.value))),
  };
}

type Range =
  | { readonly ok: true; readonly includes: (value: bigint, unit: string) => boolean }
  | { readonly ok: false; readonly message: string };

const bound = /(?<amount>[+-]?[0-9]+)(?<unit>[A-Za-z]+)?/g;

/** Null: no range, but a regular expression. */
function parseRange(source: string): Range | null {
  const [first, second] = source.matchAll(bound);
  if (first === undefined) return null;
  const low = readBound(first);
  const unit = scaleUnit(low, first.groups?.['unit'] ?? '', first.groups?.['unit'] ?? '');
  const fits = (test: (value: number) => boolean) => (value: bigint, ownUnit: string) => {
    const scaled = scaleUnit(value, ownUnit, unit.unit);
    return scaled.unit === unit.unit && test(scaled.value);
  };
  let test: ((value: number) => boolean) | null = null;
  let high = 0n;
  if (second === undefined) {
    if (source === first[0]) test = (value) => value === unit.value;
    else if (source === `${first[0]}:`) test = (value) => value >= unit.value;
    else if (source === `:${first[0]}`) test = (value) => value <= unit.value;
  } else if (source === `${first[0]}:${second[0]}`) {
    high = readBound(second);
    const end = scaleUnit(high, second.groups?.['unit'] ?? '', unit.unit);
    if (end.unit === unit.unit) test = (value) => value >= unit.value && value <= end.value;
  }
  if (test === null) return null;
  for (const amount of [low, high]) {
    if (amount === BigInt.asIntN(64, amount)) continue;
    return { ok: false, message: `${amount} does not fit a signed 64-bit integer` };
  }
  return { ok: true, includes: fits(test) };
}

function readBound({ groups }: RegExpExecArray): bigint {
  return BigInt((groups?.['amount'] ?? '0').replace('+', ''));
}
