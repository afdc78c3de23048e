import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

interface Props {
  readonly label: ComponentChildren;
  readonly title?: string;
  readonly onOpen?: () => void;
  /** `close` is for what ends the choice. */
  readonly children: (close: () => void) => ComponentChildren;
}

/** A button with a box below it, which closes by Escape and by a click elsewhere. */
export function Menu({ label, title, onOpen, children }: Props) {
  const box = useRef<HTMLDetailsElement>(null);
  const summary = useRef<HTMLElement>(null);
  const close = () => {
    if (box.current !== null) box.current.open = false;
  };
  useEffect(() => {
    const onOutside = (event: Event) => {
      if (event.target instanceof Node && box.current?.contains(event.target) === false) close();
    };
    addEventListener('pointerdown', onOutside);
    addEventListener('focusin', onOutside);
    return () => {
      removeEventListener('pointerdown', onOutside);
      removeEventListener('focusin', onOutside);
    };
  }, []);
  return (
    <details
      ref={box}
      class="menu"
      onToggle={() => box.current?.open === true && onOpen?.()}
      onKeyDown={(event) => {
        if (event.key !== 'Escape' || box.current?.open !== true) return;
        event.stopPropagation();
        close();
        summary.current?.focus();
      }}
    >
      <summary ref={summary} class="button" title={title}>
        {label}
      </summary>
      <div class="menu-body">{children(close)}</div>
    </details>
  );
}
