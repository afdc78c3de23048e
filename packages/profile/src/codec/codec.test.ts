import { expect, test } from 'vitest';
import { ProfileBuilder } from '../build/profile-builder.ts';
import { checkValid } from '../check-valid.ts';
import { decodeProfile } from './decode-profile.ts';
import { encodeProfile, profileParts } from './encode-profile.ts';

test('every field of a profile survives a round trip', () => {
  const builder = new ProfileBuilder({
    sampleTypes: [
      { type: 'samples', unit: 'count' },
      { type: 'cpu', unit: 'nanoseconds' },
    ],
    defaultSampleType: 'cpu',
    periodType: { type: 'cpu', unit: 'nanoseconds' },
    period: 10_101_010n,
    timeNanos: 1_700_000_000_123_456_789n,
    durationNanos: -5n,
    comments: ['first', 'second'],
    dropFrames: 'drop.*',
    keepFrames: 'keep.*',
    docUrl: 'https://example.org/doc',
  });
  const mapping = builder.mapping({
    memoryStart: 0xffff_ffff_8100_0000n,
    memoryLimit: 0xffff_ffff_ffff_ffffn,
    fileOffset: 4096n,
    file: '[kernel.kallsyms]',
    buildId: 'abcdef',
    flags: 0b1011,
  });
  const outer = builder.function({ name: 'outer', systemName: '_Z5outerv', file: 'a.cc', startLine: 3 });
  const inlined = builder.function({ name: 'inlinedé', startLine: -1 });
  const root = builder.location({ mapping, address: 0xffff_ffff_8100_0010n, lines: [{ function: outer, line: 10 }] });
  const leaf = builder.location({
    address: 7n,
    isFolded: true,
    lines: [
      { function: inlined, line: 5, column: 9 },
      { function: outer, line: 11 },
    ],
  });
  const stack = builder.stack(builder.stack(0, root), leaf);
  const labels = builder.labelSet([
    { key: 'thread_name', text: 'worker' },
    { key: 'bytes', number: -3, unit: 'bytes' },
  ]);
  builder.add(stack, labels, [1n, -9_223_372_036_854_775_808n]);
  builder.add(0, 0, [2n, 9_223_372_036_854_775_807n]);
  const profile = builder.build();
  expect(checkValid(profile)).toBeNull();

  const bytes = encodeProfile(profile);
  const decoded = decodeProfile(bytes);
  expect(decoded.ok && decoded.profile.samples.values).toEqual(profile.samples.values);
  expect(decoded.ok && checkValid(decoded.profile)).toBeNull();
  expect(decoded.ok && encodeProfile(decoded.profile)).toEqual(bytes);
  for (const partBytes of [1, 60, 1 << 20]) {
    const parts = [...profileParts(profile, partBytes)];
    expect(parts.length).toBeGreaterThan(partBytes === 1 << 20 ? 0 : 2);
    expect(Buffer.concat(parts)).toEqual(Buffer.from(bytes));
  }
  // Header texts are not in the builder's string table but in the file's: equal but for those.
  expect(
    decoded.ok && { ...decoded.profile, strings: decoded.profile.strings.slice(0, profile.strings.length) },
  ).toEqual(profile);
});
