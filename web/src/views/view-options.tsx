import type { FlamegraphState } from '../state/page-state.ts';
import { Menu } from './menu.tsx';

type Options = Pick<FlamegraphState, 'frames' | 'order' | 'recursion' | 'libraries' | 'grow' | 'colours'>;

const choices: readonly {
  readonly key: keyof Options;
  readonly label: string;
  readonly values: readonly (readonly [string, string])[];
}[] = [
  {
    key: 'frames',
    label: 'A frame is',
    values: [
      ['function', 'a function'],
      ['line', 'a line of source'],
      ['file', 'a source file'],
      ['binary', 'a binary'],
    ],
  },
  {
    key: 'order',
    label: 'Below a frame',
    values: [
      ['callees', 'what it calls'],
      ['callers', 'who calls it (inverted)'],
    ],
  },
  {
    key: 'recursion',
    label: 'Recursion',
    values: [
      ['as-is', 'as it is'],
      ['collapsed', 'collapsed'],
    ],
  },
  {
    key: 'libraries',
    label: 'Libraries',
    values: [
      ['as-is', 'as they are'],
      ['grouped', 'one frame each'],
    ],
  },
  {
    key: 'grow',
    label: 'Root',
    values: [
      ['down', 'at the top (icicle)'],
      ['up', 'at the bottom (flame)'],
    ],
  },
  {
    key: 'colours',
    label: 'Colours by',
    values: [
      ['kind', 'kind of code'],
      ['binary', 'binary'],
      ['heat', 'self time'],
    ],
  },
];
/** These draw another tree, in which the zoom names no place. */
const reshaping: ReadonlySet<string> = new Set(['frames', 'order', 'recursion', 'libraries']);

/** How the picture is made of the same samples. */
export function ViewOptions({
  options,
  onChange,
}: {
  options: Options;
  onChange: (part: Partial<FlamegraphState>) => void;
}) {
  const changed = choices.filter(({ key, values }) => options[key] !== values[0]?.[0]).length;
  return (
    <Menu label={changed === 0 ? 'View' : `View (${changed} changed)`}>
      {() => (
        <div class="option-list">
          {choices.map(({ key, label, values }) => (
            <label key={key} class="field">
              <span>{label}</span>
              <select
                value={options[key]}
                onChange={(event) =>
                  onChange({ [key]: event.currentTarget.value, ...(reshaping.has(key) && { zoom: '' }) })
                }
              >
                {values.map(([value, text]) => (
                  <option key={value} value={value}>
                    {text}
                  </option>
                ))}
              </select>
            </label>
          ))}
        </div>
      )}
    </Menu>
  );
}
