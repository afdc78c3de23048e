import { useId, useState } from 'preact/hooks';

interface Props {
  /** Heaviest first; the first ones are offered. */
  readonly names: readonly string[];
  readonly value: string;
  readonly onName: (name: string) => void;
}

const mostOffered = 500;

/** Which function it is about. */
export function FunctionPicker({ names, value, onName }: Props) {
  const id = useId();
  // What is being typed outlives that the rest of the page is drawn anew.
  const [draft, setDraft] = useState<string | null>(null);
  return (
    <label class="field">
      <span>Function</span>
      <input
        type="text"
        class="mono text-input"
        list={id}
        value={draft ?? value}
        spellcheck={false}
        onInput={(event) => setDraft(event.currentTarget.value)}
        onChange={(event) => {
          setDraft(null);
          onName(event.currentTarget.value);
        }}
      />
      <datalist id={id}>
        {names.slice(0, mostOffered).map((one) => (
          <option key={one} value={one} />
        ))}
      </datalist>
    </label>
  );
}
