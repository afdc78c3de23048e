import type { DiffTree } from '../views/diff.ts';
import type { FunctionColumns } from '../views/functions.ts';
import type { Amounts, Tree, TreeShape } from '../views/tree.ts';

/** A tree as indented lines, `- name (total: 10, self: 1)`; the root is the first line. Samples only where they differ from values. */
export function formatTree(tree: Tree): string[] {
  return lines(tree, (node) => amounts(tree, node));
}

/** A diff as indented lines: `- name (before 10/1, after 12/0)`, total/self on each side. */
export function formatDiffTree(tree: DiffTree): string[] {
  const side = ({ total, self }: Amounts, node: number): string => `${total[node]}/${self[node]}`;
  return lines(tree, (node) => `before ${side(tree.before, node)}, after ${side(tree.after, node)}`);
}

/** A table of functions as lines: `name (total: 10, self: 1)`. */
export function formatFunctions(functions: FunctionColumns): string[] {
  return functions.frames.name.map((name, row) => `${name} (${amounts(functions, row)})`);
}

function amounts({ total, self, samples, selfSamples }: Amounts, row: number): string {
  const text = `total: ${total[row]}, self: ${self[row]}`;
  const isOneEach = Number(total[row]) === samples[row] && Number(self[row]) === selfSamples[row];
  return isOneEach ? text : `${text}, samples: ${samples[row]}/${selfSamples[row]}`;
}

function lines(tree: TreeShape, describe: (node: number) => string): string[] {
  const depth = new Uint32Array(tree.parent.length);
  return Array.from(tree.parent, (parent, node) => {
    if (node > 0) depth[node] = (depth[parent] ?? 0) + 1;
    return `${'  '.repeat(depth[node] ?? 0)}- ${tree.frames.name[tree.frame[node] ?? 0]} (${describe(node)})`;
  });
}
