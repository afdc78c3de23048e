import { expect, test } from 'vitest';
import { complete, selectorContext } from './selector-context.ts';

/** `|` is the caret. */
function at(drawn: string) {
  const caret = drawn.indexOf('|');
  const text = drawn.replace('|', '');
  return { text, context: selectorContext(text, caret) };
}
function taken(drawn: string, choice: string): string {
  const { text, context } = at(drawn);
  const next = complete(text, context, choice);
  return `${next.text.slice(0, next.caret)}|${next.text.slice(next.caret)}`;
}

test('names are offered after a brace or a comma, values after an operator', () => {
  expect(at('|').context.kind).toBe('name');
  expect(at('{ser|').context).toMatchObject({ kind: 'name', typed: 'ser' });
  expect(at('{a="b", |}').context).toMatchObject({ kind: 'name', typed: '' });
  expect(at('{a=|').context).toMatchObject({ kind: 'value', name: 'a', typed: '' });
  expect(at('{a="b", host=~"no|"}').context).toMatchObject({ kind: 'value', name: 'host', typed: 'no' });
});

test('nothing is offered after a finished matcher or outside of the braces', () => {
  expect(at('{a="b"|}').context.kind).toBe('none');
  expect(at('{a="b"}|').context.kind).toBe('none');
});

test('a comma within quotes is part of the value', () => {
  expect(at('{a="x,y|"}').context).toMatchObject({ kind: 'value', name: 'a', typed: 'x,y' });
});

test('a choice replaces what was typed and closes what it opened', () => {
  expect(taken('|', 'host_name')).toBe('{host_name="|"}');
  expect(taken('{ser|}', 'service_name')).toBe('{service_name="|"}');
  expect(taken('{service_name="sh|"}', 'shop')).toBe('{service_name="shop"|}');
  expect(taken('{service_name=|', 'sh"op')).toBe(String.raw`{service_name="sh\"op"|}`);
  expect(taken('{a="b|", c="d"}', 'x')).toBe('{a="x"|, c="d"}');
});
