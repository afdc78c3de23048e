import { type Frames, type Tree, treeShape } from '../data/tree-columns.ts';

/**
 * The tree with the exact tree below `node` in place of what it has there. `part`: that node first, as the server answers it.
 * Frames that the tree does not know are added. What the node itself is called and amounts to stays.
 */
export function splice(tree: Tree, node: number, part: Tree): Tree {
  const { frames, rowOf } = joinFrames(tree.frames, part.frames);
  const behind = tree.end[node] ?? node + 1;
  const shift = part.length - (behind - node);
  const length = tree.length + shift;
  const parent = new Uint32Array(length);
  const frame = new Uint32Array(length);
  const rest = new Uint32Array(length);
  const weights = {
    total: joined(BigInt64Array, tree.weights.total, part.weights.total),
    self: joined(BigInt64Array, tree.weights.self, part.weights.self),
    samples: joined(Float64Array, tree.weights.samples, part.weights.samples),
    selfSamples: joined(Float64Array, tree.weights.selfSamples, part.weights.selfSamples),
  };
  parent.set(tree.parent.subarray(0, node + 1));
  frame.set(tree.frame.subarray(0, node + 1));
  rest.set(tree.rest.subarray(0, node + 1));
  for (let row = 1; row < part.length; row++) {
    parent[node + row] = (part.parent[row] ?? 0) + node;
    frame[node + row] = rowOf[part.frame[row] ?? 0] ?? 0;
    rest[node + row] = part.rest[row] ?? 0;
  }
  for (let row = behind; row < tree.length; row++) {
    const up = tree.parent[row] ?? 0;
    parent[row + shift] = up < behind ? up : up + shift;
    frame[row + shift] = tree.frame[row] ?? 0;
    rest[row + shift] = tree.rest[row] ?? 0;
  }
  return { ...treeShape({ frames, parent, frame, rest }), weights };

  function joined<T extends BigInt64Array | Float64Array>(type: new (length: number) => T, whole: T, inner: T): T {
    const column = new type(length);
    column.set(whole.subarray(0, node + 1) as never);
    column.set(inner.subarray(1) as never, node + 1);
    column.set(whole.subarray(behind) as never, node + part.length);
    return column;
  }
}

/** Functions are the same when their names are; values of labels are apart from functions. */
function joinFrames(first: Frames, second: Frames): { readonly frames: Frames; readonly rowOf: Uint32Array } {
  const keyOf = ({ name, kind }: Frames, row: number) => `${kind[row] === 'group' ? 'g' : 'f'}${name[row]}`;
  const known = new Map<string, number>();
  for (let row = 1; row < first.length; row++) known.set(keyOf(first, row), row);
  const name = [...first.name];
  const file = [...first.file];
  const binary = [...first.binary];
  const kind = [...first.kind];
  const rowOf = new Uint32Array(second.length);
  for (let row = 1; row < second.length; row++) {
    const key = keyOf(second, row);
    let at = known.get(key);
    if (at === undefined) {
      at = name.push(second.name[row] ?? '') - 1;
      file.push(second.file[row] ?? '');
      binary.push(second.binary[row] ?? '');
      kind.push(second.kind[row] ?? 'native');
      known.set(key, at);
    }
    rowOf[row] = at;
  }
  return { frames: { length: name.length, name, file, binary, kind }, rowOf };
}

/** Whether the server held something back below `node`. */
export function isHeldBack({ rest, end }: Tree, node: number): boolean {
  const last = end[node] ?? 0;
  for (let row = node + 1; row < last; row++) if (rest[row] !== 0) return true;
  return false;
}
