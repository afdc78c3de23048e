import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { Dictionary } from '../dictionary.ts';
import { compactStacks } from './compact-stacks.ts';

function pathOf({ words }: { readonly words: Uint32Array }, stack: number): string {
  return stack === 0 ? '' : `${pathOf({ words }, words[stack * 2] ?? 0)}/${words[stack * 2 + 1]}`;
}

test('stacks that are asked for have the same path by their new numbers, callers come first, and nothing else is there', () => {
  const rows = fc.array(fc.tuple(fc.nat(10_000), fc.integer({ min: 1, max: 4 })), { maxLength: 100 });
  fc.assert(
    fc.property(rows, fc.array(fc.nat(100)), (drawn, asked) => {
      const dictionary = new Dictionary();
      for (const [caller, location] of drawn) dictionary.stacks.append(caller % dictionary.stacks.length, location);
      const wanted = Uint32Array.from(asked, (stack) => stack % dictionary.stacks.length);
      const compact = compactStacks(dictionary, wanted);
      expect(Array.from(compact.numbers, (number) => pathOf(compact, number))).toEqual(
        Array.from(wanted, (stack) => pathOf(dictionary.stacks, stack)),
      );
      const needed = new Set<number>();
      for (const stack of wanted)
        for (let at = stack; at > 0; at = dictionary.stacks.words[at * 2] ?? 0) needed.add(at);
      expect(compact.length).toBe(needed.size + 1);
      for (let stack = 1; stack < compact.length; stack++) expect(compact.words[stack * 2]).toBeLessThan(stack);
    }),
  );
});
