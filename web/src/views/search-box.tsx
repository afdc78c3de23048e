import { useEffect, useRef, useState } from 'preact/hooks';

interface Props {
  readonly value: string;
  readonly onInput: (value: string) => void;
  readonly label: string;
  /** What was found, or why the pattern is not understood. */
  readonly result: string;
  readonly isWrong: boolean;
}

/** `/` puts the cursor here from anywhere on the page; Escape empties it. */
export function SearchBox({ value, onInput, label, result, isWrong }: Props) {
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
        placeholder="Search functions (regular expression)   /"
        aria-label={label}
        aria-invalid={isWrong}
        spellcheck={false}
        autocomplete="off"
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Escape') return;
          event.stopPropagation();
          if (text === '') event.currentTarget.blur();
          setText('');
          onInput('');
        }}
      />
      <output class={`search-result${isWrong ? ' is-wrong' : ''}`}>{result}</output>
    </div>
  );
}
