import type { TreeShape } from '../data/tree-columns.ts';
import { kindColour, kindNames } from './colours.ts';
import { isDark } from './theme.ts';

/** What the colours mean; only kinds that this tree has. */
export function KindLegend({ tree }: { tree: TreeShape }) {
  const present = new Set(tree.frames.kind);
  return (
    <ul class="legend" aria-label="Colours">
      {kindNames
        .filter(([kind]) => present.has(kind))
        .map(([kind, name]) => (
          <li key={kind}>
            <span class="swatch" style={{ background: kindColour(kind, '', isDark.value) }} />
            {name}
          </li>
        ))}
      <li class="hint">
        <kbd>/</kbd> search · <kbd>Esc</kbd> reset
      </li>
    </ul>
  );
}
