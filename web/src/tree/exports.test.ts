import { expect, test } from 'vitest';
import { foldedText, speedscopeText } from './exports.ts';
import { layOut, wholeTree } from './layout.ts';
import { widthsOf } from './order.ts';
import { pictureOf, svgText } from './picture.ts';
import { nodeAt, treeFromText } from './tree-testing.ts';

const tree = treeFromText(`
    main 1
      draw;line 2
        point 3
      tick 0
    idle 4`);

test('folded stacks are what samples end in, with the whole way to it', () => {
  expect(foldedText(tree, [0])).toBe('main 1\nmain;draw:line 2\nmain;draw:line;point 3\nidle 4\n');
  expect(foldedText(tree, [nodeAt(tree, 'main;draw;line')])).toBe('main;draw:line 2\nmain;draw:line;point 3\n');
});

test('a speedscope file has each stack with its value', () => {
  const file = JSON.parse(speedscopeText(tree, [0], 'shop', 'nanoseconds')) as {
    shared: { frames: { name: string }[] };
    profiles: { samples: number[][]; weights: number[]; unit: string; endValue: number }[];
  };
  const [profile] = file.profiles;
  const stacks = profile?.samples.map((stack) => stack.map((row) => file.shared.frames[row]?.name).join(' > '));
  expect(stacks).toEqual(['main', 'main > draw;line', 'main > draw;line > point', 'idle']);
  expect(profile).toMatchObject({ weights: [1, 2, 3, 4], unit: 'nanoseconds', endValue: 10 });
});

test('values that no double holds are split, not rounded', () => {
  const self = tree.weights.self.slice();
  self[nodeAt(tree, 'idle')] = 2n ** 53n + 1n;
  const huge = { ...tree, weights: { ...tree.weights, self } };
  const { profiles } = JSON.parse(speedscopeText(huge, [nodeAt(tree, 'idle')], 'x', 'count')) as {
    profiles: { weights: number[] }[];
  };
  expect(profiles[0]?.weights).toEqual([2 ** 53 - 1, 2]);
});

test('a picture as SVG has the frames at their places, and names as text', () => {
  const layout = layOut(tree, widthsOf(tree.weights), wholeTree, 1000);
  const picture = pictureOf(layout, 1000, false, {
    title: '<script>',
    background: '#fff',
    ink: '#000',
    labelOf: (row) => tree.frames.name[tree.frame[row.node] ?? 0] ?? '',
    colourOf: () => 'red',
  });
  expect(picture.boxes.map(({ x, y, width, label }) => `${label} ${x}+${width} at ${y}`)).toEqual([
    'all 0+1000 at 28',
    'main 0+600 at 48',
    'idle 600+400 at 48',
    'draw;line 0+500 at 68',
    'point 0+300 at 88',
  ]);
  const svg = svgText(picture);
  expect(svg).toContain('&lt;script&gt;');
  expect(svg).not.toContain('<script>');
});
