import { foldedName } from './folded-name.ts';
import type { Tree } from '../data/tree-columns.ts';
import { ancestry } from './order.ts';
import { rangesOf } from './ranges.ts';

/**
 * Folded stacks of what is below `roots`, each with the way to it: a line for each node that samples end in, exact values.
 * What the format has no escape for is replaced in names.
 */
export function foldedText(tree: Tree, roots: readonly number[]): string {
  const lines: string[] = [];
  for (const { from, until } of rangesOf(tree, roots)) {
    /** Text of the path to each open node. */
    const texts: string[] = [];
    const nodes: number[] = [];
    for (let node = from; node < until; node++) {
      const up = tree.parent[node] ?? 0;
      while (nodes.length > 0 && nodes.at(-1) !== up) {
        nodes.pop();
        texts.pop();
      }
      const above = nodes.length === 0 ? pathText(tree, up) : (texts.at(-1) ?? '');
      const name = foldedName(tree.frames.name[tree.frame[node] ?? 0] ?? '');
      const text = node === 0 ? '' : above === '' ? name : `${above};${name}`;
      nodes.push(node);
      texts.push(text);
      // A row that was held back ends here: what is below it is not known.
      const value = (tree.rest[node] ?? 0) > 0 ? tree.weights.total[node] : tree.weights.self[node];
      if (value !== undefined && value !== 0n) lines.push(`${text} ${value}\n`);
    }
  }
  return lines.join('');
}

function pathText(tree: Tree, node: number): string {
  return ancestry(tree, node)
    .slice(1)
    .map((one) => foldedName(tree.frames.name[tree.frame[one] ?? 0] ?? ''))
    .join(';');
}

/** Units that speedscope knows. */
const speedscopeUnits = new Set(['nanoseconds', 'microseconds', 'milliseconds', 'seconds', 'bytes']);

/**
 * A file for speedscope (https://www.speedscope.app/file-format-schema.json): one sampled profile, stacks from root to leaf.
 * Its weights are JSON numbers; one that a double cannot hold exactly is split into several samples of the same stack.
 */
export function speedscopeText(tree: Tree, roots: readonly number[], name: string, unit: string): string {
  const samples: number[][] = [];
  const weights: number[] = [];
  let sum = 0n;
  for (const { from, until } of rangesOf(tree, roots)) {
    for (let node = from; node < until; node++) {
      let value = ((tree.rest[node] ?? 0) > 0 ? tree.weights.total[node] : tree.weights.self[node]) ?? 0n;
      if (value === 0n) continue;
      sum += value;
      const stack = ancestry(tree, node)
        .slice(1)
        .map((one) => (tree.frame[one] ?? 1) - 1);
      while (value !== 0n) {
        const part = value > exactMost ? exactMost : value < -exactMost ? -exactMost : value;
        samples.push(stack);
        weights.push(Number(part));
        value -= part;
      }
    }
  }
  const frames = tree.frames.name.slice(1).map((text, row) => {
    const file = tree.frames.file[row + 1] ?? '';
    return { name: text, ...(file !== '' && { file }) };
  });
  return JSON.stringify({
    $schema: 'https://www.speedscope.app/file-format-schema.json',
    name,
    exporter: 'everflame',
    activeProfileIndex: 0,
    shared: { frames },
    profiles: [
      {
        type: 'sampled',
        name,
        unit: speedscopeUnits.has(unit) ? unit : 'none',
        startValue: 0,
        endValue: Number(sum),
        samples,
        weights,
      },
    ],
  });
}

const exactMost = BigInt(Number.MAX_SAFE_INTEGER);
