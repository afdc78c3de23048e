import { expect, test } from 'vitest';
import { KeptDictionaries } from './kept-dictionaries.ts';

test('the latest dictionaries stay while there is room, and one that is larger than all the room stays until the next', () => {
  const kept = new KeptDictionaries(100);
  const released: string[] = [];
  const part = (name: string) => {
    const own = {
      release: () => {
        released.push(name);
        kept.remove(own);
      },
    };
    return own;
  };
  const [a, b, c, d] = [part('a'), part('b'), part('c'), part('d')];
  kept.add(a, 40);
  kept.add(b, 40);
  kept.add(a, 50);
  expect(released).toEqual([]);
  kept.add(c, 30);
  expect(released).toEqual(['b']);
  kept.add(d, 150);
  expect(released).toEqual(['b', 'a', 'c']);
  kept.add(b, 1);
  expect(released).toEqual(['b', 'a', 'c', 'd']);
  kept.remove(b);
  kept.add(a, 100);
  expect(released).toHaveLength(4);
});
