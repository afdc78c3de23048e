import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';

export interface FrameAction {
  readonly label: string;
  readonly hint?: string;
  readonly run: () => void;
}

interface Props {
  readonly x: number;
  readonly y: number;
  /** What it is about. */
  readonly title: string;
  readonly actions: readonly FrameAction[];
  readonly onClose: () => void;
}

/** What can be done with a frame, at the pointer. Arrow keys move, Escape and a click elsewhere close. */
export function FrameMenu({ x, y, title, actions, onClose }: Props) {
  const box = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    const left = Math.max(Math.min(x, innerWidth - element.offsetWidth - 8), 4);
    const top = Math.max(Math.min(y, innerHeight - element.offsetHeight - 8), 4);
    element.style.transform = `translate(${left}px, ${top}px)`;
    const before = document.activeElement;
    element.querySelector('button')?.focus();
    return () => {
      if (before instanceof HTMLElement) before.focus({ preventScroll: true });
    };
  }, []);
  useEffect(() => {
    const onOutside = (event: Event) => {
      if (event.target instanceof Node && box.current?.contains(event.target) === false) onClose();
    };
    addEventListener('pointerdown', onOutside);
    addEventListener('scroll', onClose);
    return () => {
      removeEventListener('pointerdown', onOutside);
      removeEventListener('scroll', onClose);
    };
  }, [onClose]);
  const onKeyDown = (event: KeyboardEvent) => {
    event.stopPropagation();
    if (event.key === 'Escape' || event.key === 'Tab') {
      event.preventDefault();
      onClose();
    }
    if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
    event.preventDefault();
    const buttons = [...(box.current?.querySelectorAll('button') ?? [])];
    const at = buttons.findIndex((one) => one === document.activeElement);
    buttons[(at + (event.key === 'ArrowDown' ? 1 : -1) + buttons.length) % buttons.length]?.focus();
  };
  return (
    <div ref={box} class="frame-menu" role="menu" aria-label={`What to do with ${title}`} onKeyDown={onKeyDown}>
      <p class="frame-menu-title">{title}</p>
      {actions.map(({ label, hint, run }) => (
        <button
          key={label}
          type="button"
          role="menuitem"
          onClick={() => {
            onClose();
            run();
          }}
        >
          {label}
          {hint !== undefined && <span class="hint">{hint}</span>}
        </button>
      ))}
    </div>
  );
}
