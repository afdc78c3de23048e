import { expect, test } from 'vitest';
import { bandsOf } from './bands.ts';

const series = (name: string, times: number[], values: string[]) => ({
  labels: { pid: name },
  times,
  values,
  samples: [],
});
const head = { profileType: 't', unit: 'nanoseconds', from: 0, until: 50, stepMs: 10 };

test('a step that nobody has is a gap, a step that others have is zero', () => {
  const answer = { ...head, series: [series('a', [0, 10, 30], ['5', '6', '7']), series('b', [10], ['1'])] };
  expect(bandsOf(answer, 'pid')).toEqual({
    times: [0, 10, 20, 30],
    bands: [
      { label: 'a', colour: 0, total: 18, values: [5, 6, null, 7] },
      { label: 'b', colour: 1, total: 1, values: [0, 1, null, 0] },
    ],
  });
});

test('what does not fit is one band that loses nothing', () => {
  const answer = {
    ...head,
    series: ['a', 'b', 'c', 'd'].map((name, index) => series(name, [0], [String(10 - index)])),
  };
  const { bands } = bandsOf(answer, 'pid', 3);
  expect(bands.map((band) => `${band.label} ${band.total}`)).toEqual(['a 10', 'b 9', '2 others 15']);
});
