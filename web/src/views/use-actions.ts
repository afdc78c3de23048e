import { signal } from '@preact/signals';
import { useEffect, useId, useRef } from 'preact/hooks';

/** Something that can be done here; the palette lists it. */
export interface Action {
  readonly name: string;
  /** A letter that does it from anywhere but a field; or a hint for one that something else listens to, in brackets. */
  readonly keys?: string;
  readonly run: () => void;
}

interface Group {
  readonly title: string;
  readonly actions: readonly Action[];
}

/** What the shown parts of the page offer, by their ids. */
export const offered = signal<ReadonlyMap<string, Group>>(new Map());

/** Offers actions while the component is shown. Names and keys must not change; what they do may. */
export function useActions(title: string, actions: readonly Action[]): void {
  const id = useId();
  const latest = useRef(actions);
  latest.current = actions;
  useEffect(() => {
    const group = {
      title,
      actions: actions.map((one, index) => ({ ...one, run: () => latest.current[index]?.run() })),
    };
    offered.value = new Map([...offered.value, [id, group]]);
    return () => {
      const others = new Map(offered.value);
      others.delete(id);
      offered.value = others;
    };
  }, [title, actions.length]);
}
