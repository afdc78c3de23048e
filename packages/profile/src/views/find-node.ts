import type { TreeShape } from './tree.ts';

/**
 * The node of a path of frame names from below the root, `['main', 'parse']`; the root for an empty one; undefined when the
 * tree has no such path. A group goes before a function of the same name.
 */
export function nodeOfPath(tree: TreeShape, path: readonly string[]): number | undefined {
  let at = 0;
  let depth = 0;
  // Depth-first order: the node that goes on is behind the one reached, before the path is left again.
  for (let node = 1; node < tree.parent.length && depth < path.length; node++) {
    if ((tree.parent[node] ?? 0) < at) return undefined;
    if (tree.parent[node] !== at || tree.frames.name[tree.frame[node] ?? 0] !== path[depth]) continue;
    at = node;
    depth++;
  }
  return depth === path.length ? at : undefined;
}

/**
 * The node with a path id: 16 hexadecimal digits, a 64-bit hash of the names from the root, two FNV-1a lanes chained from
 * parent to child. It stays the same when the data are newer, and is short enough for a URL where the path is not. The
 * root's is 0000000000000000.
 */
export function nodeOfPathId(tree: TreeShape, id: string): number | undefined {
  if (!/^[0-9a-f]{16}$/.test(id)) return undefined;
  const { high, low } = pathIds(tree);
  const wantedHigh = Number.parseInt(id.slice(0, 8), 16);
  const wantedLow = Number.parseInt(id.slice(8), 16);
  const node = high.findIndex((value, at) => value === wantedHigh && low[at] === wantedLow);
  return node < 0 ? undefined : node;
}

/** The path id of one node. */
export function pathIdOf(tree: TreeShape, node: number): string {
  const { high, low } = pathIds(tree);
  return [high, low].map((lane) => (lane[node] ?? 0).toString(16).padStart(8, '0')).join('');
}

function pathIds({ frames, parent, frame }: TreeShape): { readonly high: Uint32Array; readonly low: Uint32Array } {
  const frameHigh = Uint32Array.from(frames.name, (text) => hashText(text, 0x811c_9dc5));
  const frameLow = Uint32Array.from(frames.name, (text) => hashText(text, 0x9747_b28c));
  const high = new Uint32Array(parent.length);
  const low = new Uint32Array(parent.length);
  for (let node = 1; node < parent.length; node++) {
    const up = parent[node] ?? 0;
    const row = frame[node] ?? 0;
    high[node] = chained(high[up] ?? 0, frameHigh[row] ?? 0);
    low[node] = chained((low[up] ?? 0) ^ 0x5bd1_e995, frameLow[row] ?? 0);
  }
  return { high, low };
}

function hashText(text: string, seed: number): number {
  let hash = seed;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x0100_0193);
  return hash >>> 0;
}

function chained(parent: number, frame: number): number {
  let hash = parent ^ 0x811c_9dc5;
  for (const word of [0, frame & 0xffff, frame >>> 16]) hash = Math.imul(hash ^ word, 0x0100_0193);
  hash ^= hash >>> 15;
  return Math.imul(hash, 0x2c1b_3c6d) >>> 0;
}
