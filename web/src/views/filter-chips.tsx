import type { Filters } from '../data/queries.ts';

const words: Readonly<Record<keyof Filters, string>> = {
  focus: 'only samples through',
  ignore: 'no samples through',
  hide: 'without frames like',
  show_from: 'from the outermost',
};

/** What is filtered, and a way out of each. The expressions may be edited in place. */
export function FilterChips({ filters, onChange }: { filters: Filters; onChange: (part: Partial<Filters>) => void }) {
  const set = (Object.keys(words) as (keyof Filters)[]).filter((name) => filters[name] !== '');
  if (set.length === 0) return null;
  return (
    <ul class="filter-chips" aria-label="Filters">
      {set.map((name) => (
        <li key={name} class="filter-chip">
          <label>
            <span>{words[name]}</span>
            <input
              type="text"
              class="mono"
              size={Math.min(Math.max(filters[name].length, 6), 40)}
              value={filters[name]}
              aria-label={`${name}, a regular expression`}
              spellcheck={false}
              onChange={(event) => onChange({ [name]: event.currentTarget.value })}
            />
          </label>
          <button type="button" class="filter-chip-remove" onClick={() => onChange({ [name]: '' })}>
            <span aria-hidden="true">×</span>
            <span class="visually-hidden">Remove {name}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}
