import { changeColour, mutedColour } from './colours.ts';
import { isDark } from './theme.ts';

const stops = [-1, -0.5, -0.2, 0, 0.2, 0.5, 1];

export function ChangeLegend({ values, isJudged }: { values: 'shares' | 'amounts'; isJudged: boolean }) {
  const dark = isDark.value;
  return (
    <ul class="legend" aria-label="Colours">
      <li>
        {values === 'shares' ? 'smaller share' : 'less'}
        <span class="scale" aria-hidden="true">
          {stops.map((stop) => (
            <span key={stop} style={{ background: changeColour(stop, dark) }} />
          ))}
        </span>
        {values === 'shares' ? 'larger share' : 'more'}
      </li>
      <li>
        <span class="swatch" style={{ background: mutedColour(dark) }} />
        {isJudged ? 'not significant' : 'too few samples'}
      </li>
      <li class="hint">
        <kbd>/</kbd> search · <kbd>Esc</kbd> reset
      </li>
    </ul>
  );
}
