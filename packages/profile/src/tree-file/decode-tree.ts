import type { FrameColumns, FrameKind } from '../views/frame-table.ts';
import { counted } from '../views/counted.ts';
import type { LimitedTree } from '../views/limit-tree.ts';
import {
  HAS_REST,
  HEADER_BYTES,
  IS_COUNTED,
  PER_SAMPLE_AT,
  TREE_MAGIC,
  TREE_VERSION,
  type TreeHead,
  treeKinds,
  type TreeLayout,
  treeLayout,
} from './tree-file.ts';

export type TreeResult =
  | { readonly ok: true; readonly head: TreeHead; readonly tree: LimitedTree }
  | { readonly ok: false; readonly message: string };

/**
 * Reads a tree that `encodeTree` has written. Everything is checked before it is believed: lengths, references, kinds, UTF-8;
 * memory grows with the input alone. Columns are views into a copy of `bytes`.
 */
export function decodeTree(bytes: Uint8Array): TreeResult {
  if (bytes.length < HEADER_BYTES) return failed('it ends inside its header');
  const buffer = bytes.slice().buffer;
  const [magic, version, headBytes = 0, nodes = 0, frames = 0, strings = 0, textBytes = 0, flags = 0] = new Uint32Array(
    buffer,
    0,
    8,
  );
  if (magic !== TREE_MAGIC) return failed('it does not begin with EFTR');
  if (version !== TREE_VERSION) return failed(`it has version ${version}, and ${TREE_VERSION} is read here`);
  const perSample = new Float64Array(buffer, PER_SAMPLE_AT, 1)[0] ?? 0;
  const isCounted = (flags & IS_COUNTED) !== 0;
  if (flags > (HAS_REST | IS_COUNTED)) return failed(`it has flags that are not known here (${flags})`);
  if (isCounted && !(Number.isSafeInteger(perSample) && perSample > 0))
    return failed('its samples stand for no number');
  const layout = treeLayout({ headBytes, nodes, frames, strings, textBytes, flags });
  if (layout.length !== bytes.length) return failed(`it has ${bytes.length} bytes, its header says ${layout.length}`);
  if (nodes === 0 || frames === 0) return failed('a tree has a node and a frame');
  const head = readHead(new Uint8Array(buffer, layout.head, headBytes));
  if (head === null) return failed('its head is not what a head is');
  const texts = readStrings(buffer, layout, strings, textBytes);
  if (texts === null) return failed('its strings are not in order, or no UTF-8');
  const columns = readFrames(buffer, layout, frames, texts);
  if (columns === null) return failed('a frame refers to what is not there');
  const parent = new Uint32Array(buffer, layout.distance, nodes);
  const frame = new Uint32Array(buffer, layout.frame, nodes);
  for (let node = 0; node < nodes; node++) {
    const distance = parent[node] ?? 0;
    if (node === 0 ? distance !== 0 : distance === 0 || distance > node)
      return failed(`node ${node} has no parent before it`);
    if ((frame[node] ?? 0) >= frames) return failed(`node ${node} has no frame`);
    parent[node] = node - distance;
  }
  const rest = (flags & HAS_REST) === 0 ? new Uint32Array(nodes) : new Uint32Array(buffer, layout.rest, nodes);
  const shape = { frames: columns, parent, frame, rest };
  if (!isCounted) {
    const tree = {
      ...shape,
      total: new BigInt64Array(buffer, layout.total, nodes),
      self: new BigInt64Array(buffer, layout.self, nodes),
      samples: new Float64Array(buffer, layout.samples, nodes),
      selfSamples: new Float64Array(buffer, layout.selfSamples, nodes),
    };
    return { ok: true, head, tree };
  }
  const samples = Float64Array.from(new Uint32Array(buffer, layout.samples, nodes));
  const selfSamples = Float64Array.from(new Uint32Array(buffer, layout.selfSamples, nodes));
  if (samples.some((count) => !Number.isSafeInteger(count * perSample))) return failed('a value is beyond 2^53');
  return { ok: true, head, tree: counted({ ...shape, samples, selfSamples }, perSample) };
}

function failed(message: string): TreeResult {
  return { ok: false, message: `this is no tree: ${message}` };
}

function readText(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
}

function readHead(bytes: Uint8Array): TreeHead | null {
  const text = readText(bytes);
  if (text === null) return null;
  try {
    const value = JSON.parse(text) as Partial<TreeHead> | null;
    const { profileType, unit, from, until, profiles } = value ?? {};
    if (typeof profileType !== 'string' || typeof unit !== 'string') return null;
    if (typeof from !== 'number' || typeof until !== 'number' || typeof profiles !== 'number') return null;
    return { profileType, unit, from, until, profiles };
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function readStrings(buffer: ArrayBuffer, layout: TreeLayout, count: number, textBytes: number): string[] | null {
  const ends = new Uint32Array(buffer, layout.stringEnd, count);
  const texts: string[] = [];
  let start = 0;
  for (const end of ends) {
    if (end < start || end > textBytes) return null;
    const text = readText(new Uint8Array(buffer, layout.text + start, end - start));
    if (text === null) return null;
    texts.push(text);
    start = end;
  }
  return start === textBytes ? texts : null;
}

function readFrames(
  buffer: ArrayBuffer,
  layout: TreeLayout,
  count: number,
  texts: readonly string[],
): FrameColumns | null {
  const rows = [layout.frameName, layout.frameFile, layout.frameBinary].map(
    (start) => new Uint32Array(buffer, start, count),
  );
  if (rows.some((column) => column.some((row) => row >= texts.length))) return null;
  const [name = [], file = [], binary = []] = rows.map((column) => Array.from(column, (row) => texts[row] ?? ''));
  const kind: FrameKind[] = [];
  for (const row of new Uint8Array(buffer, layout.frameKind, count)) {
    const known = treeKinds[row];
    if (known === undefined) return null;
    kind.push(known);
  }
  return { name, file, binary, kind };
}
