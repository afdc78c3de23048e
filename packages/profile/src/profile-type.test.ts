import { expect, test } from 'vitest';
import { formatProfileType, inferProfileName, parseProfileType, profileTypesOf } from './profile-type.ts';
import type { ValueType } from './profile.ts';
import { profileFromText } from './testing/index.ts';

const types = (...texts: readonly string[]): ValueType[] =>
  texts.map((text) => {
    const [type = '', unit = ''] = text.split('/');
    return { type, unit };
  });

test('an id has five parts and comes back as it was', () => {
  for (const id of ['process_cpu:cpu:nanoseconds:cpu:nanoseconds', 'memory:inuse_space:bytes::']) {
    const result = parseProfileType(id);
    expect(result.ok && result.profileType.id).toBe(id);
    expect(result.ok && formatProfileType(result.profileType)).toBe(id);
  }
  const delta = parseProfileType('block:delay:nanoseconds:contentions:count:delta');
  expect(delta.ok && delta.profileType.id).toBe('block:delay:nanoseconds:contentions:count');
  for (const id of ['', 'cpu', 'a:b:c:d', ':a:b:c:d', 'a::b:c:d', 'a:b:c:d:e:f'])
    expect(parseProfileType(id).ok).toBe(false);
});

test('a profile has one type for each of its sample types, without what an id cannot hold', () => {
  const profile = profileFromText('main', {
    sampleTypes: types('samples/count', 'Wall time/μs', 'cycles:u/{n}'),
    header: { periodType: { type: 'cpu', unit: 'nanoseconds' } },
  });
  expect(profileTypesOf(profile, 'wall').map(({ id }) => id)).toEqual([
    'wall:samples:count:cpu:nanoseconds',
    'wall:Wall_time:μs:cpu:nanoseconds',
    'wall:cycles_u:_n_:cpu:nanoseconds',
  ]);
});

test('the name of a profile is told from what it holds', () => {
  const name = (drawing: string, periodType: string, ...sampleTypes: readonly string[]): string => {
    const [period = { type: '', unit: '' }] = types(periodType);
    return inferProfileName(
      profileFromText(drawing, { sampleTypes: types(...sampleTypes), header: { periodType: period } }),
    );
  };
  expect(name('main', 'cpu/nanoseconds', 'samples/count', 'cpu/nanoseconds')).toBe('process_cpu');
  expect(name('main', 'cpu/nanoseconds', 'samples/count')).toBe('process_cpu');
  expect(name('main', '/', 'sample/count', 'wall/nanoseconds', 'cpu/nanoseconds')).toBe('wall');
  expect(name('main', 'space/bytes', 'objects/count', 'space/bytes')).toBe('memory');
  expect(name('main', '/', 'goroutine/count')).toBe('goroutine');
  expect(name('main', '/', 'off_cpu/nanoseconds')).toBe('off_cpu');
  const contended = ['contentions/count', 'contentions/count', 'delay/nanoseconds'] as const;
  expect(name('main\nsync.(*Mutex).Unlock', ...contended)).toBe('mutex');
  expect(name('main\nsync.(*Mutex).Lock', ...contended)).toBe('block');
  expect(name('main\nruntime.chanrecv1', ...contended)).toBe('block');
  expect(name('main', '/', 'Page Faults/count')).toBe('page_faults');
  expect(name('main', '/', '№/count')).toBe('profile');
});
