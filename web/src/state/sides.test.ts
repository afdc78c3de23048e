import { expect, test } from 'vitest';
import { compareState } from './page-state.ts';
import { chosenVersions, sidesOf } from './sides.ts';

const hour = 3_600_000;
const lives = [
  { version: '1.2', firstSeen: 30 * hour, lastSeen: 40 * hour },
  { version: '1.1', firstSeen: 2 * hour, lastSeen: 30 * hour },
  { version: '1.0', firstSeen: 0, lastSeen: 2 * hour },
];
const state = (search: string) => compareState.parse(search);

test('the newest version is compared with the one before it', () => {
  expect(chosenVersions(state(''), lives)).toEqual({ before: '1.1', after: '1.2' });
  expect(chosenVersions(state('after=1.1'), lives)).toEqual({ before: '1.0', after: '1.1' });
  expect(chosenVersions(state('before=1.2'), lives)).toEqual({ before: '1.2', after: '1.1' });
  expect(chosenVersions(state(''), lives.slice(0, 1))).toEqual({ before: null, after: '1.2' });
});

test('each side is the last day of its version', () => {
  const sides = sidesOf(state(''), 'shop', lives, 100 * hour);
  expect(sides).toMatchObject({
    kind: 'ready',
    before: { name: '1.1', span: { fromMs: 6 * hour + 1000, untilMs: 30 * hour + 1000 } },
    after: { name: '1.2', span: { fromMs: 30 * hour, untilMs: 40 * hour + 1000 } },
  });
  expect(sides.kind === 'ready' && sides.after.query).toContain('{service_name="shop", service_version="1.2"}');
});

test('a range of the URL holds for both versions', () => {
  const sides = sidesOf(state('from=0&until=10'), 'shop', lives, 100 * hour);
  expect(sides).toMatchObject({
    before: { span: { fromMs: 0, untilMs: 10 } },
    after: { span: { fromMs: 0, untilMs: 10 } },
  });
});

test('a finding limits each version to a range of its own, and both to an environment', () => {
  const link = 'before=1.0&after=1.1&env=prod&before_from=1&before_until=5&after_from=5&after_until=9';
  const sides = sidesOf(state(link), 'shop', lives, 100 * hour);
  expect(sides).toMatchObject({
    kind: 'ready',
    before: { name: '1.0', span: { fromMs: 1, untilMs: 5 } },
    after: { name: '1.1', span: { fromMs: 5, untilMs: 9 } },
  });
  expect(sides.kind === 'ready' && sides.before.query).toContain('deployment_environment_name="prod"');
  // One range alone is none.
  expect(sidesOf(state('before_from=1&before_until=5'), 'shop', lives, 100 * hour)).toMatchObject({
    before: { span: { untilMs: 30 * hour + 1000 } },
  });
});

test('two time ranges need no versions', () => {
  const sides = sidesOf(state('how=ranges&before_from=0&before_until=5&after_from=5&after_until=9'), 'shop', [], 100);
  expect(sides).toMatchObject({
    before: { span: { fromMs: 0, untilMs: 5 } },
    after: { span: { fromMs: 5, untilMs: 9 } },
  });
});

test('what cannot be compared is told', () => {
  expect(sidesOf(state(''), '', [], 0).kind).toBe('no-service');
  expect(sidesOf(state(''), 'shop', [], 0).kind).toBe('one-version');
  expect(sidesOf(state('how=ranges&before_from=soon'), 'shop', [], 0)).toMatchObject({ kind: 'unclear' });
});
