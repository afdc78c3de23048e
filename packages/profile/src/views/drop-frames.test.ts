import { expect, test } from 'vitest';
import { goTop } from '../../../../test/corpus/pprof/go-pprof.ts';
import { encodeProfile } from '../codec/encode-profile.ts';
import { formatFunctions, profileFromText } from '../testing/index.ts';
import { dropUninteresting } from './drop-frames.ts';
import { topFunctions } from './functions.ts';

const drawing = `
  malloc  main    main         main         main
  brk     malloc  helper       keep_malloc  operator()(int)
          brk     malloc(inl)               f
  = 1     2       4            8            16
`;

test('frames that a profile calls uninteresting go with what they call, as in go tool pprof', () => {
  const profile = profileFromText(drawing, { header: { dropFrames: '.*malloc|operator\\(\\)', keepFrames: 'keep.*' } });
  const top = topFunctions(profile, 0);
  expect(formatFunctions(top).map((line) => line.replace(/, samples.*\)/, ')'))).toEqual([
    'main (total: 30, self: 18)',
    'keep_malloc (total: 8, self: 8)',
    'helper (total: 4, self: 4)',
    'brk (total: 1, self: 1)',
    'malloc (total: 1, self: 0)',
  ]);
  const theirs = goTop(encodeProfile(profile), 'cpu', 'nanoseconds');
  expect(Object.fromEntries(theirs.map(({ name, flat, cum }) => [name, [flat, cum]]))).toEqual(
    Object.fromEntries(top.frames.name.map((name, row) => [name, [top.self[row], top.total[row]]])),
  );
});

test('nothing to drop, or an expression that is none, changes nothing', () => {
  for (const dropFrames of ['', 'absent', '(']) {
    const profile = profileFromText(drawing, { header: { dropFrames } });
    expect(dropUninteresting(profile)).toBe(profile);
  }
});
