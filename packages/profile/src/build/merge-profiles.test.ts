import { describe, expect, test } from 'vitest';
import { pprofCorpus } from '../../../../test/corpus/pprof/corpus.ts';
import { goPprof } from '../../../../test/corpus/pprof/go-pprof.ts';
import { checkValid } from '../check-valid.ts';
import { decodeProfile } from '../codec/decode-profile.ts';
import { encodeProfile } from '../codec/encode-profile.ts';
import type { Profile } from '../profile.ts';
import { formatTree, profileFromText } from '../testing/index.ts';
import { buildTree } from '../views/build-tree.ts';
import { mergeProfiles } from './merge-profiles.ts';
import { ProfileBuilder } from './profile-builder.ts';

function merged(...profiles: readonly Profile[]): Profile {
  const result = mergeProfiles(profiles);
  if (!result.ok) throw new Error(result.error.message);
  return result.profile;
}

function decoded(bytes: Uint8Array): Profile {
  const result = decodeProfile(bytes);
  if (!result.ok) throw new Error(result.error.message);
  return result.profile;
}

/** What `go tool pprof -raw` prints of profiles, which it merges, with ids replaced by what they stand for, so that numbering does not matter. */
function meaning(...profiles: readonly Uint8Array[]): string[] {
  const text = goPprof(['-raw'], ...profiles).toString();
  const [head = '', rest = ''] = text.split('\nLocations\n');
  const [locationLines = '', mappingLines = ''] = rest.split('\nMappings\n');
  const mappings = new Map(
    mappingLines
      .split('\n')
      .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]),
  );
  const locations = new Map<string, string>();
  let id = '';
  for (const line of locationLines.split('\n')) {
    const start = /^\s*(\d+): (.*)$/.exec(line);
    if (start === null) locations.set(id, `${locations.get(id)}|${line.trim()}`);
    else {
      id = start[1] ?? '';
      locations.set(
        id,
        (start[2] ?? '').replace(/M=(\d+)/, (_, m: string) => `M=${mappings.get(m)}`),
      );
    }
  }
  const [, samples = ''] = head.split('\nSamples:\n');
  const entries = samples.split(/\n(?=\s+-?\d+(?:\s+-?\d+)*:)/).map((entry) =>
    entry.replace(/^(\s*(?:-?\d+\s*)+): ([\d ]*)/, (_, values: string, ids: string) =>
      [
        values.trim().replaceAll(/\s+/g, ' '),
        ...ids
          .trim()
          .split(' ')
          .map((l) => locations.get(l) ?? l),
      ].join('\n'),
    ),
  );
  return [head.split('\nSamples:\n')[0] ?? '', ...entries.sort(), ...[...mappings.values()].sort()];
}

const files = pprofCorpus().filter(({ name }) => !/\.zst$|plain/.test(name));

describe.each(files)('$name', ({ bytes }) => {
  test('merged with itself is what go tool pprof makes of it', () => {
    const ours = merged(decoded(bytes), decoded(bytes));
    expect(checkValid(ours)).toBeNull();
    expect(meaning(encodeProfile(ours))).toEqual(meaning(bytes, bytes));
  });
});

test('two different profiles merge as go tool pprof does it', () => {
  const [heap, allocs] = ['heap', 'allocs'].map(
    (kind) => files.find(({ name }) => name.includes(`go-1.26.8/${kind}.`))?.bytes,
  );
  if (heap === undefined || allocs === undefined) throw new Error('the corpus has no heap and allocs');
  const ours = encodeProfile(merged(decoded(heap), decoded(allocs)));
  expect(meaning(ours)).toEqual(meaning(heap, allocs));
});

test('equal stacks and labels are summed, zero sums vanish with what only they needed', () => {
  const a = profileFromText(`
    main  main  main
    a     b     c
    = 1   2     3
    ~ t=x -     -
  `);
  const b = profileFromText(`
    main  main  main
    a     b     c
    = 10  20    -3
    ~ t=x t=y   -
  `);
  const sum = merged(a, b);
  expect(formatTree(buildTree(sum, 0))).toEqual([
    '- root (total: 33, self: 0, samples: 4/0)',
    '  - main (total: 33, self: 0, samples: 4/0)',
    '    - a (total: 11, self: 11, samples: 2/2)',
    '    - b (total: 22, self: 22, samples: 2/2)',
  ]);
  expect(sum.samples.length).toBe(3);
  expect(sum.strings).not.toContain('c');
});

test('labels in another order are the same labels', () => {
  const profile = (...keys: readonly string[]): Profile => {
    const builder = new ProfileBuilder({ sampleTypes: [{ type: 'samples', unit: 'count' }] });
    builder.add(0, builder.labelSet(keys.map((key) => ({ key, text: 'v' }))), [1n]);
    return builder.build();
  };
  expect(merged(profile('a', 'b'), profile('b', 'a')).samples.values).toEqual(BigInt64Array.of(2n));
});

test('mappings of one build at different addresses are one, and addresses follow the first', () => {
  const profile = (start: bigint): Profile => {
    const builder = new ProfileBuilder({ sampleTypes: [{ type: 'samples', unit: 'count' }] });
    const mapping = builder.mapping({ memoryStart: start, memoryLimit: start + 0x1000n, file: '/bin/x', buildId: 'b' });
    builder.add(builder.stack(0, builder.location({ mapping, address: start + 0x10n })), 0, [1n]);
    return builder.build();
  };
  const sum = merged(profile(0x40_0000n), profile(0x7f00_0000_0000n));
  expect(sum.mappings.length).toBe(2);
  expect([...sum.locations.address]).toEqual([0n, 0x40_0010n]);
  expect(sum.samples.values).toEqual(BigInt64Array.of(2n));
});

test('two mappings of one build in one profile stay where it is alone, and become one in a merge, as with go tool pprof', () => {
  const builder = new ProfileBuilder({ sampleTypes: [{ type: 'samples', unit: 'count' }] });
  for (const [i, file] of ['/bin/one', '', '/bin/other'].entries()) {
    const start = 0x40_0000n + BigInt(i) * 0x1_0000n;
    const mapping = builder.mapping({ memoryStart: start, memoryLimit: start + 0x1000n, file, buildId: 'abcdef12' });
    builder.add(builder.stack(0, builder.location({ mapping, address: start + BigInt(i) })), 0, [1n]);
  }
  const profile = builder.build();
  const file = encodeProfile(profile);
  const alone = mergeProfiles([profile], { keepsMappings: true });
  if (!alone.ok) throw new Error(alone.error.message);
  expect(meaning(encodeProfile(alone.profile))).toEqual(meaning(file));
  expect(alone.profile.mappings.length).toBe(4);
  expect(meaning(encodeProfile(merged(profile, profile)))).toEqual(meaning(file, file));
  expect(merged(profile, profile).mappings.length).toBe(2);
});

test('headers: earliest time, sum of durations, greatest period, union of comments, the rest of the first', () => {
  const profile = (timeNanos: bigint, period: bigint, comments: readonly string[], docUrl: string): Profile =>
    profileFromText('main', { header: { timeNanos, durationNanos: 5n, period, comments, docUrl } });
  const sum = merged(
    profile(0n, 1n, ['a'], ''),
    profile(9n, 3n, ['b', 'a'], 'https://one'),
    profile(7n, 2n, [], 'https://two'),
  );
  expect(sum).toMatchObject({
    timeNanos: 7n,
    durationNanos: 15n,
    period: 3n,
    comments: ['a', 'b'],
    docUrl: 'https://one',
  });
});

test('what does not fit together is refused', () => {
  const cpu = profileFromText('main');
  const wall = profileFromText('main', { sampleTypes: [{ type: 'wall', unit: 'nanoseconds' }] });
  const other = profileFromText('main', { header: { periodType: { type: 'x', unit: 'y' } } });
  const codes = [[], [cpu, wall], [cpu, other]].map((profiles) => {
    const result = mergeProfiles(profiles);
    return result.ok ? 'merged' : `${result.error.code} ${result.error.field}`;
  });
  expect(codes).toEqual(['no_sample_types ', 'incompatible sample_type', 'incompatible period_type']);
  const most = profileFromText(`
    main
    = 9223372036854775807
  `);
  expect(mergeProfiles([most, cpu])).toMatchObject({ ok: false, error: { code: 'overflow' } });
});
