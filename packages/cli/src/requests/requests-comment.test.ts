import { mergeProfiles, type Profile, ProfileBuilder } from '@everflame/profile';
import { expect, test } from 'vitest';
import { asRun, requestsOf, runsOf, withRequests } from './requests-comment.ts';

function recordedAt(timeNanos: bigint): Profile {
  return new ProfileBuilder({ sampleTypes: [{ type: 'samples', unit: 'count' }], timeNanos }).build();
}

function merged(...profiles: readonly Profile[]): Profile {
  const result = mergeProfiles(profiles);
  if (!result.ok) throw new Error(result.error.message);
  return result.profile;
}

test('what was counted adds up over a merge, also where it is the same number', () => {
  const [first, second] = [recordedAt(1_700_000_000_000_000_000n), recordedAt(1_700_000_001_000_000_000n)];
  expect(requestsOf(first)).toBeNull();
  expect(requestsOf(withRequests(first, 12.3456))).toBe(12.346);
  expect(requestsOf(merged(withRequests(first, 1200), withRequests(second, 1200)))).toBe(2400);
});

test('runs of a command are counted over a merge', () => {
  const [first, second] = [recordedAt(1_700_000_000_000_000_000n), recordedAt(1_700_000_001_000_000_000n)];
  expect(runsOf(first)).toBeNull();
  expect(runsOf(asRun(first))).toBe(1);
  expect(runsOf(merged(asRun(first), asRun(second)))).toBe(2);
});
