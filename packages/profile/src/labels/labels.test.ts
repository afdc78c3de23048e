import { expect, test } from 'vitest';
import { profileFromText } from '../testing/index.ts';
import { checkLabels, labelsKey, type Labels, labelsOfSet } from './labels.ts';

const offender = (labels: Labels, kind?: 'series' | 'sample'): string => {
  const check = checkLabels(labels, kind);
  return check.ok ? 'ok' : check.error.label;
};

test('series labels have identifiers as names and bounded values', () => {
  expect(offender({})).toBe('ok');
  expect(offender({ service_name: 'api', __name__: 'process_cpu', _x9: '' })).toBe('ok');
  expect(offender({ ok: '1', 'service.name': 'api' })).toBe('service.name');
  expect(offender({ '9lives': 'x' })).toBe('9lives');
  expect(offender({ '': 'x' })).toBe('');
  expect(offender({ a: 'x'.repeat(2048) })).toBe('ok');
  expect(offender({ a: 'x'.repeat(2049) })).toBe('a');
  // 683 × 3 bytes.
  expect(offender({ a: '€'.repeat(683) })).toBe('a');
  expect(offender({ a: '\uD800' })).toBe('a');
  expect(offender({ ['n'.repeat(128)]: 'x' })).toBe('ok');
  expect(offender({ ['n'.repeat(129)]: 'x' })).toBe('n'.repeat(129));
  expect(offender(Object.fromEntries([['__proto__', 'x']]))).toBe('__proto__');
  const many = (count: number): Labels => Object.fromEntries(Array.from({ length: count }, (_, i) => [`l${i}`, 'v']));
  expect(offender(many(64))).toBe('ok');
  expect(offender(many(65))).toBe('l64');
});

test('sample labels may be called what programs call them, but for control characters', () => {
  expect(offender({ 'Thread ID': '0:27163', 'größe.µ': '1' }, 'sample')).toBe('ok');
  expect(offender({ 'a\nb': '1' }, 'sample')).toBe('a\nb');
  expect(offender({ 'a\u0085': '1' }, 'sample')).toBe('a\u0085');
});

test('the key of labels depends on no order and not on empty values', () => {
  expect(labelsKey({ b: '2', a: '1', c: '' })).toBe(labelsKey({ a: '1', b: '2' }));
  expect(labelsKey({ a: '1,"b"="2' })).not.toBe(labelsKey({ a: '1', b: '2' }));
  expect(labelsKey({})).toBe(labelsKey({ a: '' }));
});

test('labels of a set are text, numbers in decimal, the first of each name', () => {
  const profile = profileFromText(`
    main
    ~ thread=one,bytes:-7,thread=two
  `);
  expect(labelsOfSet(profile, 1)).toEqual({ thread: 'one', bytes: '-7' });
  expect(labelsOfSet(profile, 0)).toEqual({});
});
