import type { TreeShape } from '../data/tree-columns.ts';
import { type Focus, restCount, wholeTree } from '../tree/layout.ts';
import { ancestry } from '../tree/order.ts';
import { plural } from './format.ts';
import { frameName } from './frame-text.tsx';
import { shortName } from './short-name.ts';

interface Props {
  readonly tree: TreeShape;
  readonly focus: Focus;
  readonly groupLabel: string;
  readonly onFocus: (focus: Focus) => void;
}

const shownEnds = 4;

/** The way from the root to what is shown; long ways are cut in the middle, the picture has them whole. */
export function Breadcrumb({ tree, focus, groupLabel, onFocus }: Props) {
  const isWhole = focus.node === 0 && focus.rest === 0;
  const path = ancestry(tree, focus.node);
  const cut = path.length > shownEnds * 2;
  const shown = cut ? [...path.slice(0, 2), -1, ...path.slice(-shownEnds)] : path;
  return (
    <nav class="breadcrumb" aria-label="Zoom">
      <ol>
        {isWhole ? (
          <li class="hint">Click a frame to zoom, hover for its numbers</li>
        ) : (
          shown.map((node) =>
            node === -1 ? (
              <li key="cut">{plural(path.length - shownEnds - 2, 'frame')} …</li>
            ) : (
              <li key={node}>
                <button type="button" class="crumb" onClick={() => onFocus({ node, rest: 0 })}>
                  {shortName(frameName(tree, node, groupLabel))}
                </button>
              </li>
            ),
          )
        )}
        {focus.rest > 0 && <li>{plural(restCount(focus), 'narrow function')}</li>}
      </ol>
      <button type="button" class="button" disabled={isWhole} onClick={() => onFocus(wholeTree)}>
        Reset zoom
      </button>
    </nav>
  );
}
