import { useEffect, useRef, useState } from 'preact/hooks';

interface Props {
  readonly value: string;
  readonly onInput: (value: string) => void;
  readonly label: string;
  /** What was found, or why the pattern is not understood. */
  readonly result: string;
  /** The same without rounding. */
  readonly exactResult?: string;
  readonly isWrong: boolean;
  /** Goes to the next match or the one before; null when there is none. */
  readonly onStep?: ((direction: 1 | -1) => void) | null;
}

/** `/` puts the cursor here from anywhere on the page; Escape empties it. */
export function SearchBox({ value, onInput, label, result, exactResult, isWrong, onStep }: Props) {
  const input = useRef<HTMLInputElement>(null);
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  // Applied when the typing pauses, so that a picture of thousands of frames is not drawn for each letter.
  useEffect(() => {
    if (text === value) return undefined;
    const timer = setTimeout(() => onInput(text), 120);
    return () => clearTimeout(timer);
  }, [text]);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const target = event.target;
      const isTyping = target instanceof HTMLElement && target.closest('input, textarea, select') !== null;
      if (event.key !== '/' || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      input.current?.focus();
      input.current?.select();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
  return (
    <div class="search">
      <input
        ref={input}
        type="search"
        class={isWrong ? 'is-wrong' : ''}
        value={text}
        placeholder="Search functions, files, binaries   /"
        title="A regular expression; it is tried on the name of the function, its source file and its binary, as pprof does"
        aria-label={label}
        aria-invalid={isWrong}
        spellcheck={false}
        autocomplete="off"
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && onStep !== null && onStep !== undefined && text === value) {
            onStep(event.shiftKey ? -1 : 1);
            return;
          }
          if (event.key !== 'Escape') return;
          event.stopPropagation();
          if (text === '') event.currentTarget.blur();
          setText('');
          onInput('');
        }}
      />
      {onStep !== null && onStep !== undefined && text !== '' && (
        <span class="steps" role="group" aria-label="Matches">
          <button type="button" class="button icon" title="Previous match (p)" onClick={() => onStep(-1)}>
            <span aria-hidden="true">↑</span>
            <span class="visually-hidden">Previous match</span>
          </button>
          <button type="button" class="button icon" title="Next match (n)" onClick={() => onStep(1)}>
            <span aria-hidden="true">↓</span>
            <span class="visually-hidden">Next match</span>
          </button>
        </span>
      )}
      <output class={`search-result${isWrong ? ' is-wrong' : ''}`} title={exactResult}>
        {result}
      </output>
    </div>
  );
}
