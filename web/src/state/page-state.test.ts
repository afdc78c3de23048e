import { expect, test } from 'vitest';
import { compareHref, compareState, flamegraphHref, flamegraphState } from './page-state.ts';

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
