import { expect, test } from 'vitest';
import { discardProfile } from './discard-profile.ts';
import { profileFromText } from './testing/index.ts';

test('what is large of a profile is given back, and is empty', () => {
  const text = Array.from({ length: 400 }, (_, i) => `f${i}`).join('  ');
  const profile = profileFromText(text);
  expect(profile.samples.stack).toHaveLength(400);
  discardProfile(profile);
  expect(profile.samples.stack).toHaveLength(0);
  expect(profile.samples.values).toHaveLength(0);
  expect(profile.stacks.parent).toHaveLength(0);
  expect(profile.functions.startLine).toHaveLength(0);
});
