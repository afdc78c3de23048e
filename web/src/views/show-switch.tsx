/** Which of picture and table are shown. */
export function ShowSwitch<T extends string>({ value, onChange }: { value: T; onChange: (value: T) => void }) {
  return (
    <Segmented
      label="Show"
      value={value}
      choices={[
        ['both' as T, 'Both'],
        ['graph' as T, 'Graph'],
        ['table' as T, 'Table'],
      ]}
      onChange={onChange}
    />
  );
}

interface SegmentedProps<T extends string> {
  readonly label: string;
  readonly value: T;
  readonly choices: readonly (readonly [T, string])[];
  readonly onChange: (value: T) => void;
}

/** One choice of a few. */
export function Segmented<T extends string>({ label, value, choices, onChange }: SegmentedProps<T>) {
  return (
    <div class="segmented" role="group" aria-label={label}>
      {choices.map(([key, name]) => (
        <button key={key} type="button" aria-pressed={key === value} onClick={() => onChange(key)}>
          {name}
        </button>
      ))}
    </div>
  );
}
