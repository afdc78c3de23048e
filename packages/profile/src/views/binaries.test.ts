import { expect, test } from 'vitest';
import { ProfileBuilder } from '../build/profile-builder.ts';
import { binariesOf } from './binaries.ts';

test('the builds that samples pass through, each once', () => {
  const builder = new ProfileBuilder({ sampleTypes: [{ type: 'cpu', unit: 'nanoseconds' }] });
  const inside = (file: string, buildId: string, above = 0, address = 1n) =>
    builder.stack(above, builder.location({ mapping: builder.mapping({ file, buildId }), address }));
  const app = inside('/srv/app', 'beef');
  builder.add(inside('/lib/libc.so', 'cafe', app), 0, [1n]);
  builder.add(inside('/lib/libc.so', 'abba', inside('/lib/libc.so', 'cafe', app, 2n)), 0, [1n]);
  builder.add(inside('//anon', '', app), 0, [1n]);
  inside('/lib/unused.so', 'dead');
  expect(binariesOf(builder.build())).toEqual([
    { file: '/lib/libc.so', buildId: 'abba' },
    { file: '/lib/libc.so', buildId: 'cafe' },
    { file: '/srv/app', buildId: 'beef' },
  ]);
});
