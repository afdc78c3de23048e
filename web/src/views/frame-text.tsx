import { NO_GROUP } from '@everflame/profile';
import type { ComponentChildren } from 'preact';
import type { BuildIds } from '../data/build-ids.ts';
import type { TreeShape } from '../data/tree-columns.ts';
import { type Layout, type Row, lightestChildren, restCount } from '../tree/layout.ts';
import { kindName } from './colours.ts';
import { percent, plural } from './format.ts';
import { functionOfFrame, shortFrameName } from './short-name.ts';

/** What a frame is called where there is room for a line. */
export function frameName(tree: TreeShape, node: number, groupLabel = ''): string {
  if (node === 0) return 'all';
  const frame = tree.frame[node] ?? 0;
  const held = tree.rest[node] ?? 0;
  if (held > 0) return plural(held, 'more function');
  const name = tree.frames.name[frame] ?? '';
  return tree.frames.kind[frame] === 'group' && name === NO_GROUP ? `no ${groupLabel}` : name;
}

/** Label of a row; a remainder tells how many functions it stands for. */
export function rowLabel(tree: TreeShape, row: Row, wholeWidth: number, groupLabel: string): string {
  const share = () => percent(wholeWidth > 0 ? row.width / wholeWidth : 0);
  if (row.rest > 0) return `${plural(restCount(row), 'function')}, ${share()}`;
  const file = tree.frames.file[tree.frame[row.node] ?? 0] ?? '';
  const name = shortFrameName(frameName(tree, row.node, groupLabel), file);
  return (tree.rest[row.node] ?? 0) > 0 ? `${name}, ${share()}` : name;
}

/** Head of a tooltip: full name and where it comes from, or what a remainder holds. */
export function FrameHead(props: {
  tree: TreeShape;
  widths: Float64Array;
  row: Row;
  groupLabel: string;
  /** Null or left out: not known. */
  buildIds?: BuildIds | null;
}): ComponentChildren {
  const { tree, widths, row, groupLabel, buildIds } = props;
  if (row.rest > 0) {
    const first = lightestChildren(tree, widths, row.node, row.rest, row.skip)
      .toSorted((a, b) => (widths[b] ?? 0) - (widths[a] ?? 0))
      .slice(0, 4)
      .map((node) => frameName(tree, node, groupLabel));
    return (
      <>
        <p class="tip-name">{plural(restCount(row), 'function')} called here</p>
        <p class="tip-source">
          each narrower than a pixel at this zoom: {first.join(', ')}
          {restCount(row) > 4 ? ', …' : ''}
        </p>
        <p class="tip-hint">Click to open</p>
      </>
    );
  }
  const frame = tree.frame[row.node] ?? 0;
  if ((tree.rest[row.node] ?? 0) > 0) {
    return (
      <>
        <p class="tip-name">{frameName(tree, row.node, groupLabel)} called here</p>
        <p class="tip-source">the server has not sent them yet</p>
        <p class="tip-hint">Click to load and open them</p>
      </>
    );
  }
  const file = tree.frames.file[frame] ?? '';
  const binary = tree.frames.binary[frame] ?? '';
  const kind = tree.frames.kind[frame] ?? 'native';
  return (
    <>
      <p class="tip-name">{functionOfFrame(frameName(tree, row.node, groupLabel), file)}</p>
      {kind === 'group' && <p class="tip-source">{groupLabel}</p>}
      {file !== '' && <p class="tip-source">{file}</p>}
      {kind !== 'jit' && binary !== '' && <p class="tip-source">{binaryText(binary, buildIds?.get(binary) ?? [])}</p>}
      {kindName(kind) !== '' && <p class="tip-source">{kindName(kind)}</p>}
    </>
  );
}

/** A file may be there in several builds: on other hosts, or before an update. */
function binaryText(binary: string, ids: readonly string[]): string {
  if (ids.length === 0) return binary;
  if (ids.length === 1) return `${binary}, build ID ${ids[0]}`;
  return `${binary}, ${ids.length} builds: ${ids.slice(0, 3).join(', ')}${ids.length > 3 ? ', …' : ''}`;
}

/** Says what is below a frame and too narrow to be drawn even as a remainder. */
export function hiddenBelow(layout: Layout, row: Row): string | null {
  const index = layout.rows.indexOf(row);
  const rest = layout.rows.find((one) => one.rest > 0 && one.parent === index && one !== row);
  return rest === undefined
    ? null
    : `calls ${plural(restCount(rest), 'function')} narrower than a pixel here; zoom in to see them`;
}
