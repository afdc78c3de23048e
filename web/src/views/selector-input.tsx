import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { loadLabelNames, loadLabelValues } from '../data/queries.ts';
import { checkSelector } from '../state/query-text.ts';
import { complete, selectorContext } from '../state/selector-context.ts';
import type { Span } from '../state/time-range.ts';

interface Props {
  readonly value: string;
  readonly span: Span | null;
  readonly onCommit: (selector: string) => void;
}

const maxChoices = 60;

/** A selector with completion of labels and values and with its errors explained where they are. Enter or leaving it applies. */
export function SelectorInput({ value, span, onCommit }: Props) {
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const [text, setText] = useState(value);
  const [caret, setCaret] = useState<number | null>(null);
  const [choices, setChoices] = useState<readonly string[]>([]);
  const [picked, setPicked] = useState(-1);
  useEffect(() => setText(value), [value]);

  const check = checkSelector(text);
  const context = caret === null ? null : selectorContext(text, caret);
  const wanted = context === null || context.kind === 'none' ? '' : context.kind === 'name' ? '\0names' : context.name;
  const typed = context === null || context.kind === 'none' ? '' : context.typed.toLowerCase();

  useEffect(() => {
    if (wanted === '' || span === null) {
      setChoices([]);
      return undefined;
    }
    const abort = new AbortController();
    const found =
      wanted === '\0names'
        ? loadLabelNames(span, abort.signal).then((answer) =>
            answer.ok ? [...answer.value.names, ...answer.value.sampleNames] : [],
          )
        : loadLabelValues(wanted, span, abort.signal).then((answer) => (answer.ok ? answer.value.values : []));
    found.then(
      (all) => !abort.signal.aborted && setChoices([...new Set(all)]),
      // Completion is a help: without it the field works as before.
      () => !abort.signal.aborted && setChoices([]),
    );
    return () => abort.abort();
  }, [wanted, span?.fromMs, span?.untilMs]);

  const offered = choices.filter((choice) => choice.toLowerCase().includes(typed)).slice(0, maxChoices);
  const isOpen = wanted !== '' && offered.length > 0;
  const commit = (next: string) => {
    if (checkSelector(next).ok && next.trim() !== value) onCommit(next.trim());
  };
  const take = (choice: string) => {
    if (context === null) return;
    const next = complete(text, context, choice);
    setText(next.text);
    setCaret(next.caret);
    setPicked(-1);
    if (context.kind === 'value') commit(next.text);
    requestAnimationFrame(() => {
      input.current?.focus();
      input.current?.setSelectionRange(next.caret, next.caret);
    });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Escape' && isOpen) {
      event.stopPropagation();
      setCaret(null);
    } else if (isOpen && (event.key === 'ArrowDown' || event.key === 'ArrowUp')) {
      event.preventDefault();
      const step = event.key === 'ArrowDown' ? 1 : -1;
      setPicked((picked + step + offered.length + (picked === -1 && step === -1 ? 1 : 0)) % offered.length);
    } else if ((event.key === 'Enter' || event.key === 'Tab') && isOpen && offered[picked] !== undefined) {
      event.preventDefault();
      take(offered[picked]);
    } else if (event.key === 'Enter') {
      commit(text);
      setCaret(null);
    }
  };
  const noteCaret = () => setCaret(input.current?.selectionStart ?? null);
  return (
    <div class="selector">
      <input
        ref={input}
        class={`mono${check.ok ? '' : ' is-wrong'}`}
        value={text}
        placeholder={'{service_name="api"}  — all'}
        spellcheck={false}
        autocomplete="off"
        aria-label="Selector of labels"
        aria-invalid={!check.ok}
        aria-describedby={`${id}-error`}
        role="combobox"
        aria-expanded={isOpen}
        aria-controls={`${id}-list`}
        aria-activedescendant={isOpen && picked >= 0 ? `${id}-${picked}` : undefined}
        onInput={(event) => {
          setText(event.currentTarget.value);
          setPicked(-1);
          noteCaret();
        }}
        onClick={noteCaret}
        onKeyUp={(event) => event.key.startsWith('Arrow') && !isOpen && noteCaret()}
        onKeyDown={onKeyDown}
        onBlur={() => {
          setCaret(null);
          commit(text);
        }}
      />
      <ul id={`${id}-list`} class="choices" role="listbox" aria-label="Completions" hidden={!isOpen}>
        {isOpen &&
          offered.map((choice, index) => (
            <li
              key={choice}
              id={`${id}-${index}`}
              role="option"
              aria-selected={index === picked}
              // Before the blur, which would close the list.
              onPointerDown={(event) => {
                event.preventDefault();
                take(choice);
              }}
            >
              {choice === '' ? '(empty)' : choice}
            </li>
          ))}
      </ul>
      <p id={`${id}-error`} class="field-error" role="status">
        {check.ok ? '' : explain(text, check.message, check.offset)}
      </p>
    </div>
  );
}

function explain(text: string, message: string, offset: number): string {
  const rest = text.slice(offset, offset + 24);
  return rest === '' ? `At the end: ${message}` : `At “${rest}”: ${message}`;
}
