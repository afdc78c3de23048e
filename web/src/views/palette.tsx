import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { type Action, offered } from './use-actions.ts';

/** Every action by name: Ctrl+K or `?` opens it, letters filter, Enter does. Single letters work without it. */
export function Palette() {
  const dialog = useRef<HTMLDialogElement>(null);
  const [text, setText] = useState('');
  const [picked, setPicked] = useState(0);
  const groups = offered.value;
  const actions = useMemo(() => [...groups.values()].flatMap(({ actions: some }) => some), [groups]);
  const wanted = text.trim().toLowerCase();
  const shown = actions.filter(({ name }) => name.toLowerCase().includes(wanted));
  const open = () => {
    setText('');
    setPicked(0);
    dialog.current?.showModal();
  };
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (dialog.current?.open === true || event.defaultPrevented) return;
      if (event.key.toLowerCase() === 'k' && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        open();
        return;
      }
      const target = event.target;
      const isTyping = target instanceof HTMLElement && target.closest('input, textarea, select, [role=menu]') !== null;
      if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === '?') {
        event.preventDefault();
        open();
        return;
      }
      const action = actions.find(({ keys }) => keys === event.key);
      if (action === undefined) return;
      event.preventDefault();
      action.run();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, [actions]);
  const run = (action: Action | undefined) => {
    if (action === undefined) return;
    dialog.current?.close();
    action.run();
  };
  return (
    <>
      <button
        type="button"
        class="button palette-button"
        onClick={open}
        title="Everything that can be done here: Ctrl+K or ?"
      >
        Actions <kbd>?</kbd>
      </button>
      <dialog
        ref={dialog}
        class="palette"
        aria-label="Actions"
        onClick={(event) => event.target === dialog.current && dialog.current?.close()}
      >
        <input
          type="text"
          value={text}
          placeholder="What do you want to do?"
          aria-label="Find an action"
          role="combobox"
          aria-expanded="true"
          aria-controls="palette-list"
          aria-activedescendant={shown[picked] === undefined ? undefined : `palette-${picked}`}
          onInput={(event) => {
            setText(event.currentTarget.value);
            setPicked(0);
          }}
          onKeyDown={(event) => {
            if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
              event.preventDefault();
              const count = Math.max(shown.length, 1);
              setPicked((picked + (event.key === 'ArrowDown' ? 1 : -1) + count) % count);
            } else if (event.key === 'Enter') {
              event.preventDefault();
              run(shown[picked]);
            }
          }}
        />
        <ul id="palette-list" role="listbox" aria-label="Actions">
          {shown.map((action, index) => (
            <li
              key={action.name}
              id={`palette-${index}`}
              role="option"
              aria-selected={index === picked}
              onPointerMove={() => setPicked(index)}
              onClick={() => run(action)}
            >
              {action.name}
              {action.keys !== undefined && <kbd>{action.keys}</kbd>}
            </li>
          ))}
          {shown.length === 0 && (
            <li class="hint" role="option" aria-selected="false">
              Nothing like that here.
            </li>
          )}
        </ul>
      </dialog>
    </>
  );
}
