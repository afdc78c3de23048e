import { discard } from '../tables/discard.ts';
import type { FrameKind } from '../views/frame-table.ts';
import type { LimitedTree } from '../views/limit-tree.ts';
import type { Tree } from '../views/tree.ts';

/** Media type of a tree as columns; the format is described in docs/tree-format.md. */
export const TREE_MEDIA_TYPE = 'application/vnd.everflame.tree';
/** The version that is written, and the newest that is read. */
export const TREE_VERSION = 2;

/** `EFTR` as the first four bytes. */
export const TREE_MAGIC = 0x5254_4645;
/** Eight 32-bit words and a 64-bit number. */
export const HEADER_BYTES = 40;
/** Where that number is. */
export const PER_SAMPLE_AT = 32;
/** Of the header's flags: some rows are remainders. */
export const HAS_REST = 1;
/** Each value is its count times a number, which the header has, and counts are below 2^32. */
export const IS_COUNTED = 2;
/** A kind is a row of this list: new ones come behind. */
export const treeKinds: readonly FrameKind[] = [
  'root',
  'group',
  'kernel',
  'native',
  'jit',
  'unsymbolized',
  'runtime',
  'interpreted',
  'inlined',
];

/** What a tree is of. */
export interface TreeHead {
  readonly profileType: string;
  readonly unit: string;
  /** Unix milliseconds. */
  readonly from: number;
  readonly until: number;
  /** How many stored profiles were merged. */
  readonly profiles: number;
}

/** Where each part of the file begins. */
export interface TreeLayout {
  readonly head: number;
  readonly total: number;
  readonly self: number;
  readonly samples: number;
  readonly selfSamples: number;
  readonly distance: number;
  readonly frame: number;
  readonly rest: number;
  readonly frameName: number;
  readonly frameFile: number;
  readonly frameBinary: number;
  readonly frameKind: number;
  readonly stringEnd: number;
  readonly text: number;
  readonly length: number;
}

type Column = BigInt64Array | Float64Array | Uint32Array;

export interface TreeCounts {
  readonly headBytes: number;
  readonly nodes: number;
  readonly frames: number;
  readonly strings: number;
  readonly textBytes: number;
  readonly flags: number;
}

/** Every part begins at a multiple of eight; what the flags leave out has no bytes. */
export function treeLayout({ headBytes, nodes, frames, strings, textBytes, flags }: TreeCounts): TreeLayout {
  let at = HEADER_BYTES;
  const part = (bytes: number): number => {
    const start = at;
    at += Math.ceil(bytes / 8) * 8;
    return start;
  };
  const isCounted = (flags & IS_COUNTED) !== 0;
  const valueBytes = isCounted ? 0 : 8;
  const countBytes = isCounted ? 4 : 8;
  return {
    head: part(headBytes),
    total: part(nodes * valueBytes),
    self: part(nodes * valueBytes),
    samples: part(nodes * countBytes),
    selfSamples: part(nodes * countBytes),
    distance: part(nodes * 4),
    frame: part(nodes * 4),
    rest: part((flags & HAS_REST) === 0 ? 0 : nodes * 4),
    frameName: part(frames * 4),
    frameFile: part(frames * 4),
    frameBinary: part(frames * 4),
    frameKind: part(frames),
    stringEnd: part(strings * 4),
    text: part(textBytes),
    length: at,
  };
}

/** Writes a tree as columns. Deterministic. The tree is given up on the way (`discardTree`): file and tree together would be twice as large. */
export function encodeTree(tree: Tree | LimitedTree, head: TreeHead): Uint8Array<ArrayBuffer> {
  const utf8 = new TextEncoder();
  const headBytes = utf8.encode(JSON.stringify(head));
  const strings = new Map<string, number>();
  const stringOf = (text: string): number => {
    const known = strings.get(text);
    if (known !== undefined) return known;
    strings.set(text, strings.size);
    return strings.size - 1;
  };
  const { frames } = tree;
  const columns = [frames.name, frames.file, frames.binary].map((names) => {
    const rows = new Uint32Array(names.length);
    // Of files and binaries many are as the one before.
    for (let i = 0; i < names.length; i++) {
      const text = names[i] ?? '';
      rows[i] = i > 0 && text === names[i - 1] ? (rows[i - 1] ?? 0) : stringOf(text);
    }
    return rows;
  });
  const text = textOf([...strings.keys()]);
  // The root has the most of all.
  const perSample = (tree.samples[0] ?? 0) < 2 ** 32 ? (tree.perSample ?? 0) : 0;
  const rest = 'rest' in tree ? tree.rest : null;
  const counts = {
    headBytes: headBytes.length,
    nodes: tree.parent.length,
    frames: frames.name.length,
    strings: text.ends.length,
    textBytes: text.bytes.length,
    flags: (rest === null ? 0 : HAS_REST) | (perSample > 0 ? IS_COUNTED : 0),
  };
  const layout = treeLayout(counts);
  const file = new Uint8Array(layout.length);
  const { buffer } = file;
  new Uint32Array(buffer, 0, 8).set([
    TREE_MAGIC,
    TREE_VERSION,
    counts.headBytes,
    counts.nodes,
    counts.frames,
    counts.strings,
    counts.textBytes,
    counts.flags,
  ]);
  new Float64Array(buffer, PER_SAMPLE_AT, 1)[0] = perSample;
  file.set(headBytes, layout.head);
  const put = (column: Column, at: number) => {
    file.set(new Uint8Array(column.buffer, column.byteOffset, column.byteLength), at);
    discard(column);
  };
  if (perSample > 0) {
    new Uint32Array(buffer, layout.samples, counts.nodes).set(tree.samples);
    new Uint32Array(buffer, layout.selfSamples, counts.nodes).set(tree.selfSamples);
    discard(tree.samples, tree.selfSamples);
  } else {
    put(tree.total, layout.total);
    put(tree.self, layout.self);
    put(tree.samples, layout.samples);
    put(tree.selfSamples, layout.selfSamples);
  }
  const distances = new Uint32Array(buffer, layout.distance, counts.nodes);
  for (let node = 0; node < counts.nodes; node++) distances[node] = node - (tree.parent[node] ?? 0);
  discard(tree.parent);
  put(tree.frame, layout.frame);
  if (rest !== null) put(rest, layout.rest);
  for (const [i, start] of [layout.frameName, layout.frameFile, layout.frameBinary].entries()) {
    new Uint32Array(buffer, start, counts.frames).set(columns[i] ?? []);
  }
  file.set(
    frames.kind.map((kind) => treeKinds.indexOf(kind)),
    layout.frameKind,
  );
  new Uint32Array(buffer, layout.stringEnd, counts.strings).set(text.ends);
  file.set(text.bytes, layout.text);
  return file;
}

/** Strings as UTF-8, one after the other, and where each ends. */
function textOf(strings: readonly string[]): { readonly bytes: Uint8Array; readonly ends: Uint32Array } {
  const utf8 = new TextEncoder();
  const joined = strings.join('');
  const bytes = utf8.encode(joined);
  // Nearly all trees are plain ASCII, where a character is a byte: encoding each string by itself takes longer than all numbers of a small tree.
  if (bytes.length === joined.length) return { bytes, ends: endsOf(strings, (string) => string.length) };
  // Else a half of a character at the end of one would become whole with a half at the beginning of the next.
  const whole = strings.map((string) => string.toWellFormed());
  return { bytes: utf8.encode(whole.join('')), ends: endsOf(whole, (string) => utf8.encode(string).length) };
}

function endsOf(strings: readonly string[], lengthOf: (string: string) => number): Uint32Array {
  const ends = new Uint32Array(strings.length);
  let end = 0;
  for (let i = 0; i < strings.length; i++) ends[i] = end += lengthOf(strings[i] ?? '');
  return ends;
}
