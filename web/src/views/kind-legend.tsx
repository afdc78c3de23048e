import type { TreeShape } from '../data/tree-columns.ts';
import { type Colouring, heatColour, kindColour, kindNames } from './colours.ts';
import { isDark } from './theme.ts';

/** What the colours mean; only kinds that this tree has. */
export function KindLegend({ tree, colouring }: { tree: TreeShape; colouring: Colouring }) {
  const dark = isDark.value;
  const present = new Set(tree.frames.kind);
  return (
    <ul class="legend" aria-label="Colours">
      {colouring === 'binary' && <li>each binary has its colour</li>}
      {colouring === 'heat' && (
        <li>
          calls others
          <span class="scale" aria-hidden="true">
            {[0, 0.1, 0.3, 0.6, 1].map((heat) => (
              <span key={heat} style={{ background: heatColour(heat, dark) }} />
            ))}
          </span>
          spends its time itself
        </li>
      )}
      {kindNames
        .filter(([kind]) => colouring === 'kind' && present.has(kind))
        .map(([kind, name]) => (
          <li key={kind}>
            <span class="swatch" style={{ background: kindColour(kind, '', dark) }} />
            {name}
          </li>
        ))}
      <li class="hint">
        <kbd>/</kbd> search · <kbd>Esc</kbd> reset
      </li>
    </ul>
  );
}
