import { expect, test } from 'vitest';
import { changedComparison, compareHref, compareState, flamegraphHref, flamegraphState } from './page-state.ts';

test('the default state is no query string', () => {
  expect(flamegraphHref({})).toBe('/flamegraph');
  expect(compareHref({})).toBe('/compare');
});

test('every state survives the URL', () => {
  const state = {
    ...flamegraphState.parse(''),
    query: 'process_cpu:cpu:nanoseconds:cpu:nanoseconds{service_name="a&b=c", x=~"é|\\"#"}',
    from: '2026-11-23T08:00:00Z',
    zoom: '0123456789abcdef.37',
    search: '^a b+c$',
    show: 'table' as const,
  };
  expect(flamegraphState.parse(flamegraphState.format(state))).toEqual(state);
});

test('what is no choice reads as the default', () => {
  expect(compareState.parse('width=sideways&how=ranges')).toMatchObject({ width: 'after', how: 'ranges' });
});

test('a look belongs to the sides that a finding names, and to no others', () => {
  const state = compareState.parse('service=shop&before=v1&after=v2&look=3');
  expect(state.look).toBe('3');
  expect(changedComparison(state, { zoom: 'x', values: 'amounts' }).look).toBe('3');
  expect(changedComparison(state, { after: 'v3' }).look).toBe('');
  expect(changedComparison(state, { before_from: 'now-1h' }).look).toBe('');
  for (const wrong of ['0', '-1', '1e3', 'x', '12345']) expect(compareState.parse(`look=${wrong}`).look).toBe('');
});
