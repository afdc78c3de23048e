import { expect, test } from 'vitest';
import { ProfileBuilder } from '../build/profile-builder.ts';
import { linesOfFunction } from './function-lines.ts';

/**
 * Stacks from the root to the leaf, ` > ` apart; a location is its lines from the outermost to the innermost inlined one, `+`
 * apart: `main:3 > work:7+inner:2`. One sample each, worth the number in front.
 */
function profileOf(...drawn: readonly string[]) {
  const builder = new ProfileBuilder({ sampleTypes: [{ type: 'cpu', unit: 'nanoseconds' }] });
  const mapping = builder.mapping({ file: '/srv/app', buildId: 'cafe' });
  for (const text of drawn) {
    const [value = '', path = ''] = text.split('× ');
    let stack = 0;
    for (const place of path.split(' > ')) {
      const lines = place
        .split('+')
        .reverse()
        .map((one) => {
          const [name = '', line = ''] = one.split(':');
          return { function: builder.function({ name, file: `${name}.c` }), line: BigInt(line) };
        });
      stack = builder.stack(stack, builder.location({ mapping, address: 0n, lines }));
    }
    builder.add(stack, 0, [BigInt(value)]);
  }
  return builder.build();
}

/** `file:line self/total`, selfSamples/samples behind it. */
function linesOf(name: string, ...drawn: readonly string[]): string[] {
  const { lines } = linesOfFunction(profileOf(...drawn), 0, name);
  return lines.map(
    (one) => `${one.file}:${one.line} ${one.self}/${one.total} of ${one.selfSamples}/${one.samples} in ${one.buildId}`,
  );
}

test('a sample counts once in each line that it passes through, and ends in one', () => {
  expect(
    linesOf(
      'work',
      '5× main:1 > work:7',
      '3× main:1 > work:9 > leaf:2',
      // Recursion: line 7 twice, line 9 once.
      '2× main:1 > work:7 > work:7 > work:9',
      '8× main:1 > other:4',
      // Nothing, as in a tree.
      '0× main:1 > work:11',
    ),
  ).toEqual(['work.c:7 5/7 of 1/2 in cafe', 'work.c:9 2/5 of 1/2 in cafe']);
});

test('inlined copies are lines of the function as well; only the innermost has the self value', () => {
  const drawn = ['4× main:1 > host:3+work:7', '6× main:1 > work:8+inner:2'] as const;
  expect(linesOf('work', ...drawn)).toEqual(['work.c:7 4/4 of 1/1 in cafe', 'work.c:8 0/6 of 0/1 in cafe']);
  expect(linesOf('host', ...drawn)).toEqual(['host.c:3 0/4 of 0/1 in cafe']);
});

test('the function as a whole counts each sample once; one that is nowhere has nothing', () => {
  const profile = profileOf('2× main:1 > work:7 > work:9', '3× main:1 > work:9');
  const { total, self, samples } = linesOfFunction(profile, 0, 'work').function;
  expect([total, self, samples]).toEqual([5n, 5n, 2]);
  expect(linesOfFunction(profile, 0, 'nowhere')).toEqual({
    function: { total: 0n, self: 0n, samples: 0, selfSamples: 0 },
    lines: [],
  });
});
