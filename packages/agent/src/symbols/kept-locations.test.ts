import { expect, test } from 'vitest';
import { KeptLocations } from './kept-locations.ts';
import { createModule, viewOf } from './module.ts';
import { unfiled } from './user-locations.ts';

test('what is asked for again is kept while others come and go, and no more than so many are', () => {
  const modules = ['one', 'two'].map(createModule);
  const [one, two] = modules.map((module) => viewOf(module, '/bin/x'));
  if (one === undefined || two === undefined) throw new Error('no views');
  const kept = new KeptLocations(20, () => modules);
  const hot = unfiled('[anon]', 1n);
  kept.set(one, 1, hot);
  const asked = new Set<unknown>();
  let most = 0;
  for (let offset = 2; offset < 200; offset++) {
    kept.set(two, offset, unfiled('[anon]', BigInt(offset)));
    if (offset % 5 === 0) asked.add(kept.get(one, 1));
    const sizes = [one, two].flatMap(({ locations, before }) => [locations.size, before.size]);
    most = Math.max(
      most,
      sizes.reduce((sum, size) => sum + size, 0),
    );
  }
  expect([...asked]).toEqual([hot]);
  expect(most).toBeLessThanOrEqual(20);
  expect(kept.get(two, 199)?.address).toBe(199n);
  expect(kept.get(two, 100)).toBeUndefined();
});
