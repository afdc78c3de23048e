import type { http } from '@everflame/protocols';
import { type DiffTree, type Tree, treeShape, weightsOf } from '../data/tree-columns.ts';

/**
 * A tree drawn as indented text, for tests: `name self` on each line, two spaces for each level, for a diff `name before after`.
 * Everything is one sample for each unit of value.
 */
export function treeFromText(text: string): Tree {
  const drawn = draw(text);
  return { ...treeShape(drawn), weights: columnsOf(drawn.parent, drawn.values, 0) };
}

export function diffTreeFromText(text: string): DiffTree {
  const drawn = draw(text);
  const { parent } = drawn;
  return { ...treeShape(drawn), before: columnsOf(parent, drawn.values, 0), after: columnsOf(parent, drawn.values, 1) };
}

/** Index of the node with this path, names joined by `;`. */
export function nodeAt(tree: Pick<Tree, 'length' | 'parent' | 'frame' | 'frames'>, path: string): number {
  const paths = [''];
  for (let node = 1; node < tree.length; node++) {
    const above = paths[tree.parent[node] ?? 0] ?? '';
    const name = tree.frames.name[tree.frame[node] ?? 0] ?? '';
    paths[node] = above === '' ? name : `${above};${name}`;
    if (paths[node] === path) return node;
  }
  throw new Error(`no node ${path}`);
}

function draw(text: string) {
  const names: string[] = ['all'];
  const parent = [0];
  const frame = [0];
  const values: number[][] = [[]];
  const open = [0];
  for (const line of text.split('\n').filter((one) => one.trim() !== '')) {
    const [indent = '', name = '', rest = ''] =
      /^((?: {2})*)(\S+)(.*)$/u.exec(line.replace(/^ {4}/u, ''))?.slice(1) ?? [];
    const level = indent.length / 2;
    let known = names.indexOf(name);
    if (known === -1) known = names.push(name) - 1;
    open[level + 1] = parent.length;
    parent.push(open[level] ?? 0);
    frame.push(known);
    values.push(rest.trim().split(/\s+/u).filter(Boolean).map(Number));
  }
  const kind = names.map((_, index): http.FrameKind => (index === 0 ? 'root' : 'native'));
  const frames = { name: names, file: names.map(() => ''), binary: names.map(() => ''), kind };
  return { frames, parent: Uint32Array.from(parent), frame: Uint32Array.from(frame), values };
}

function columnsOf(parent: ArrayLike<number>, values: readonly (readonly number[])[], column: number) {
  const self = values.map((row) => row[column] ?? 0);
  const total = self.slice();
  for (let node = total.length - 1; node > 0; node--) {
    const up = parent[node] ?? 0;
    total[up] = (total[up] ?? 0) + (total[node] ?? 0);
  }
  return weightsOf({ total: total.map(String), self: self.map(String), samples: total, selfSamples: self });
}
