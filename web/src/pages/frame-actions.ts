import type { http } from '@everflame/protocols';
import type { Filters } from '../data/queries.ts';
import type { Focus, Row } from '../tree/layout.ts';
import { exactly } from '../tree/search.ts';
import { copyToClipboard } from '../views/copy-to-clipboard.ts';
import type { FrameAction } from '../views/frame-menu.tsx';
import type { ChangePanel } from './flamegraph-panel.tsx';

interface Frame {
  readonly row: Row;
  readonly name: string;
  readonly kind: http.FrameKind;
  /** Names from below the root to the frame. */
  readonly path: readonly string[];
  readonly filters: Filters;
  /** What the filters and other views look at; null: frames are no functions. */
  readonly functionName: string | null;
  readonly change: ChangePanel;
  readonly zoom: (focus: Focus) => void;
}

/** What can be done with a frame. Filters mean what they mean to pprof: the server applies them to all samples. */
export function actionsFor({ row, name, kind, path, filters, functionName, change, zoom }: Frame): FrameAction[] {
  const { node, rest, skip } = row;
  const open: FrameAction = {
    label: rest > 0 ? 'Open these functions' : 'Zoom to this frame',
    run: () => zoom({ node, rest, ...(skip !== undefined && { skip }) }),
  };
  if (rest > 0 || kind === 'root') return [open];
  const copy: FrameAction[] = [
    { label: 'Copy the name', run: () => void copyToClipboard(name) },
    { label: 'Copy the whole stack', run: () => void copyToClipboard(path.join(';')) },
  ];
  if (kind === 'group') return [open, ...copy];
  const find: FrameAction = { label: 'Search for it', run: () => change({ search: exactly(name) }) };
  if (functionName === null) return [open, find, ...copy];
  const pattern = exactly(functionName);
  /** Frames that are hidden or ignored add up. */
  const added = (known: string) => (known === '' ? pattern : `${known}|${pattern}`);
  const filtering: FrameAction[] = [
    { label: 'Focus: only samples through it', hint: 'focus', run: () => change({ focus: pattern, zoom: '' }) },
    {
      label: 'Ignore: no samples through it',
      hint: 'ignore',
      run: () => change({ ignore: added(filters.ignore), zoom: '' }),
    },
    { label: 'Hide this function', hint: 'hide', run: () => change({ hide: added(filters.hide), zoom: '' }) },
    { label: 'Begin stacks at it', hint: 'show_from', run: () => change({ show_from: pattern, zoom: '' }) },
  ];
  const looking: FrameAction[] = [
    { label: 'Callers and callees', hint: 'sandwich', run: () => change({ show: 'sandwich', fn: name }) },
    { label: 'Cost of its source lines', hint: 'source', run: () => change({ show: 'source', fn: functionName }) },
  ];
  return [open, ...filtering, ...looking, find, ...copy];
}
