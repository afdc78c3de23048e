import { expect, test } from 'vitest';
import { type Presence, versionPeriods } from './version-periods.ts';

const minuteMs = 60_000;

/**
 * A fleet drawn as one line a host, a character for each minute: a digit is the version that ran (`1` is v1), `.` nothing, and `x` both v1 and v2. Each has
 * `samples` in a minute.
 */
function fleet(drawing: string, samples = 100): Presence[] {
  return drawing
    .trim()
    .split('\n')
    .flatMap((line) => {
      const [host = '', minutes = ''] = line.trim().split(/\s+/u);
      return minutes.split('').flatMap((character, minute) =>
        (character === '.' ? [] : character === 'x' ? ['1', '2'] : [character]).map((digit) => ({
          version: `v${digit}`,
          host,
          timeMs: minute * minuteMs,
          lengthMs: minuteMs,
          samples,
        })),
      );
    });
}

/** `version kind state from-until replaces`, minutes. */
function drawn(presence: readonly Presence[], nowMinute: number): string[] {
  return versionPeriods(presence, minuteMs, nowMinute * minuteMs).map(
    ({ version, kind, state, fromMs, untilMs, replaces }) =>
      `${version} ${kind} ${state} ${fromMs / minuteMs}-${untilMs / minuteMs} ${replaces ?? '-'}`,
  );
}

test('a rollout at once, and a restart of the same version, which is none', () => {
  const presence = fleet(`
    a 1111..1111222222
    b 111...1111222222`);
  expect(drawn(presence, 16)).toEqual(['v1 first replaced 0-10 -', 'v2 rollout live 10-16 v1']);
});

test('a rolling update: hosts move over one after the other', () => {
  const presence = fleet(`
    a 1111222222222222222222222222
    b 1111111112222222222222222222
    c 1111111111111122222222222222
    d 1111111111111111111122222222`);
  expect(drawn(presence, 28)).toEqual(['v1 first replaced 0-20 -', 'v2 rolling live 4-28 v1']);
});

test('a canary stays beside the other; it is promoted, or withdrawn', () => {
  const beside = `
    a 11112222222222222222222222222222
    b 11111111111111111111111111111111
    c 11111111111111111111111111111111`;
  expect(drawn(fleet(beside), 32)).toEqual(['v1 first live 0-32 -', 'v2 canary live 4-32 v1']);
  const promoted = `
    a 111122222222222222222222222222
    b 111111111111111111111122222222
    c 111111111111111111111122222222`;
  expect(drawn(fleet(promoted), 30)).toEqual(['v1 first replaced 0-22 -', 'v2 canary live 4-30 v1']);
  const withdrawn = `
    a 11112222222222222222222211111111
    b 11111111111111111111111111111111`;
  expect(drawn(fleet(withdrawn), 32)).toEqual(['v1 first live 0-32 -', 'v2 canary withdrawn 4-24 v1']);
  // Both on the same host.
  expect(drawn(fleet('a 1111xxxxxxxxxxxxxxxxxxxxxxxxxxxx'), 32)).toEqual([
    'v1 first live 0-32 -',
    'v2 canary live 4-32 v1',
  ]);
});

test('a roll-back, a return and a third version', () => {
  expect(drawn(fleet('a 111111222222111111222222333333'), 30)).toEqual([
    'v1 first replaced 0-6 -',
    'v2 rollout replaced 6-12 v1',
    'v1 rollback replaced 12-18 v2',
    'v2 return replaced 18-24 v1',
    'v3 rollout live 24-30 v2',
  ]);
  // A short one too.
  expect(drawn(fleet('a 111111221111111'), 15)).toEqual(
    ['v1 first live 0-6 -', 'v2 rollout replaced 6-8 v1', 'v1 rollback live 8-15 v2'].map((line) =>
      line.replace('first live', 'first replaced'),
    ),
  );
});

test('a service that sleeps between samples does not come and go', () => {
  // One sample every few minutes: silences are chance.
  expect(drawn(fleet('a 1..2.1...1..2..1.2...1.', 1), 23).map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual(
    ['v1 first', 'v2 canary'],
  );
});

test('a lower semantic version after a higher one is a roll-back, also when it was never seen before', () => {
  const steps = fleet('a 11112222').map((one) => ({ ...one, version: one.version === 'v1' ? '1.4.0' : '1.3.9' }));
  expect(drawn(steps, 8)).toEqual(['1.4.0 first replaced 0-4 -', '1.3.9 rollback live 4-8 1.4.0']);
});

test('what no longer runs has ended', () => {
  expect(drawn(fleet('a 1111'), 60)).toEqual(['v1 first ended 0-4 -']);
});
