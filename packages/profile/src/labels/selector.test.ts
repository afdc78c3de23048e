import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { matchLabels } from './matcher.ts';
import { formatSelector, parseSelector, type Selector } from './selector.ts';

function parsed(text: string): Selector {
  const result = parseSelector(text);
  if (!result.ok) throw new Error(`${result.error.message} at ${result.error.offset}`);
  return result.selector;
}

test('a selector has a profile type and matchers, each optional', () => {
  const api = [{ name: 'service_name', operator: '=', value: 'api' }];
  const profileType = 'process_cpu:cpu:nanoseconds:cpu:nanoseconds';
  expect(parsed(`${profileType}{service_name="api"}`)).toEqual({ profileType, matchers: api });
  expect(parsed(` { service_name = 'api' , } `)).toEqual({ matchers: api });
  expect(parsed(`{"${profileType}", "service_name"=\`api\`}`)).toEqual({ profileType, matchers: api });
  expect(parsed('wall:Wall_time:μs::')).toEqual({ profileType: 'wall:Wall_time:μs::', matchers: [] });
  expect(parsed('')).toEqual({ matchers: [] });
  expect(parsed('{}')).toEqual({ matchers: [] });
});

test('all operators, quotes and escapes are read', () => {
  expect(
    parsed('{a="b", c!="d", e=~"x.*", f!~"y", "g.h"="i"}').matchers.map((m) => m.name + m.operator + m.value),
  ).toEqual(['a=b', 'c!=d', 'e=~x.*', 'f!~y', 'g.h=i']);
  expect(parsed('{a="\\"\\n\\t\\\\\\x41\\u00e9\\U0001F600\\101"}').matchers[0]?.value).toBe('"\n\t\\Aé😀A');
  expect(parsed("{a='\"\\''}").matchers[0]?.value).toBe('"\'');
  expect(parsed('{a=`\\d"\'`}').matchers[0]?.value).toBe('\\d"\'');
});

test('what is wrong is said with its place', () => {
  const cases: readonly (readonly [text: string, offset: number, message: RegExp])[] = [
    ['{', 1, /Expected a label name, but the text ends/],
    ['{a', 2, /Expected one of = != =~ !~/],
    ['{a=', 3, /Expected a quoted value/],
    ['{a=b}', 3, /Expected a quoted value, but there is "b"/],
    ['{a="b"', 6, /Expected "," or "}"/],
    ['{a="b" c="d"}', 7, /Expected "," or "}"/],
    ['{a="b}', 3, /not closed/],
    ['{a="\\q"}', 4, /escape/],
    ['{a="\\U00110000"}', 4, /escape/],
    ['{a=~"b("}', 4, /The regular expression of a is bad.*missing closing \)/],
    ['{a=~"(?=b)"}', 4, /Perl/],
    ['{a=~"(.)\\\\1"}', 4, /invalid escape/],
    ['{a=~"a{1001}"}', 4, /repeat/],
    ['{,}', 1, /Expected a label name/],
    ['x{} y', 4, /Expected the end/],
    ['x{"y"}', 5, /twice/],
    ['😀{a=1}', 5, /Expected a quoted value/],
  ];
  for (const [text, offset, message] of cases) {
    const result = parseSelector(text);
    expect([text, result.ok ? 'ok' : result.error.offset]).toEqual([text, offset]);
    expect(result.ok ? '' : result.error.message).toMatch(message);
  }
});

test('what is formatted is read back to the same', () => {
  const matcher = fc.record({
    name: fc.string({ minLength: 1, unit: 'grapheme' }),
    operator: fc.constantFrom<'=' | '!='>('=', '!='),
    value: fc.string({ unit: 'grapheme' }),
  });
  const selector = fc.record({
    profileType: fc.string({ minLength: 1 }),
    matchers: fc.array(matcher, { maxLength: 4 }),
  });
  fc.assert(
    fc.property(selector, (wanted) => {
      expect(parsed(formatSelector(wanted))).toEqual(wanted);
    }),
  );
});

test('no text makes the parser throw', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...Array.from('{}=!~,"\'`\\ab:[(*+0')) }), (text) => {
      const result = parseSelector(text);
      expect(result.ok || (result.error.offset >= 0 && result.error.offset <= text.length)).toBe(true);
    }),
    { numRuns: 5000 },
  );
});

test('matching is anchored and knows absent labels as empty', () => {
  const matches = (selector: string, labels: Record<string, string>): boolean =>
    matchLabels(parsed(selector).matchers, labels);
  const labels = { service_name: 'api', service_version: 'v2.1' };
  expect(matches('{service_name="api", service_version=~"v2.*"}', labels)).toBe(true);
  expect(matches('{service_version=~"2"}', labels)).toBe(false);
  expect(matches('{service_version=~"v1.*|v2.*"}', labels)).toBe(true);
  expect(matches('{service_version!~"v2"}', labels)).toBe(true);
  expect(matches('{absent=""}', labels)).toBe(true);
  expect(matches('{absent!=""}', labels)).toBe(false);
  expect(matches('{absent=~".*"}', labels)).toBe(true);
  expect(matches('{absent=~".+"}', labels)).toBe(false);
  expect(matches('{constructor=""}', labels)).toBe(true);
  expect(matches('{service_name=~"(?i)API"}', labels)).toBe(true);
  expect(matches('{service_name=~"\\\\pL+"}', labels)).toBe(true);
  expect(matches('{a=~"x.y"}', { a: 'x\ny' })).toBe(true);
});

test('an expression that would take others years takes us no time', () => {
  const start = performance.now();
  expect(matchLabels(parsed('{a=~"(a|aa)+b|(a*)*c"}').matchers, { a: 'a'.repeat(2048) })).toBe(false);
  expect(performance.now() - start).toBeLessThan(2000);
  expect(parseSelector(`{a=~"${'x'.repeat(4097)}"}`)).toMatchObject({ ok: false, error: { offset: 4 } });
});
