import type { DiffTree } from '../data/tree-columns.ts';
import { shareOf, sumOf } from '../tree/sums.ts';
import { percent, plural } from './format.ts';
import { frameName } from './frame-text.tsx';
import { shortName } from './short-name.ts';

const shown = 6;

interface Props {
  readonly tree: DiffTree;
  /** Nodes that only before has, none below another, heaviest first. */
  readonly gone: readonly number[];
  readonly onPlace: (node: number) => void;
  readonly onAll: () => void;
}

/** What vanished has no width in a picture of after, so it is named beside it. */
export function GoneList({ tree, gone, onPlace, onAll }: Props) {
  const whole = tree.before.total[0] ?? 0n;
  return (
    <div class="gone">
      <h3>Gone: only before, so not in a picture as wide as after</h3>
      <ul>
        {gone.slice(0, shown).map((node) => (
          <li key={node}>
            <button type="button" class="chip" title={frameName(tree, node)} onClick={() => onPlace(node)}>
              <span class="function-name">{shortName(frameName(tree, node))}</span>
              <b>{percent(shareOf(tree.before.total[node] ?? 0n, whole))}</b>
            </button>
          </li>
        ))}
        {gone.length > shown && (
          <li>
            <button type="button" class="chip" onClick={onAll}>
              {plural(gone.length - shown, 'more place', 'more places')},{' '}
              {percent(shareOf(sumOf(tree.before, gone.slice(shown)).total, whole))}
            </button>
          </li>
        )}
      </ul>
    </div>
  );
}
