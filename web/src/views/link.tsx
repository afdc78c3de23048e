import type { ComponentChildren } from 'preact';
import { navigate } from '../state/router.ts';

interface Props {
  readonly href: string;
  readonly class?: string;
  readonly title?: string;
  readonly current?: boolean;
  readonly children: ComponentChildren;
}

/** A link within the page; opening it in a new tab works as with any link. */
export function Link({ href, class: className, title, current, children }: Props) {
  return (
    <a
      href={href}
      class={className}
      title={title}
      aria-current={current === true ? 'page' : undefined}
      onClick={(event) => {
        if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
        event.preventDefault();
        navigate(href);
      }}
    >
      {children}
    </a>
  );
}
