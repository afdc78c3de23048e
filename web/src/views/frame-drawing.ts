import { type BaseType, selection } from 'd3-selection';

/**
 * Stands in for d3-transition (vite.config.ts), and fits d3-selection to what d3-flame-graph does with it for every frame of a picture. Measured on pictures
 * of 1,600 frames, what is left out here took more time than all the rest of a drawing:
 *
 * - Transitions. With a duration of 0, which is what the page asks for, d3-transition still makes two timers for every frame and sets labels
 *   some frames later. Here everything takes its last value at once.
 * - Listeners of each frame. The page takes events where they bubble to (flame-graph.tsx).
 * - Labels of frames that have no room for one. Their `foreignObject` would be a box and a layer of the browser's layout even when it is empty: it is hidden, and its
 *   attributes are not set. Most frames of a big picture are that narrow.
 */
class InstantTransition {
  readonly #selection: Target;

  constructor(target: Target) {
    this.#selection = target;
  }

  duration(): this {
    return this;
  }

  ease(): this {
    return this;
  }

  delay(): this {
    return this;
  }

  attr(name: string, value: unknown): this {
    this.#selection.attr(name, value);
    return this;
  }

  style(name: string, value: unknown): this {
    this.#selection.style(name, value);
    return this;
  }

  text(value: unknown): this {
    this.#selection.text(value);
    return this;
  }
}

interface Target {
  attr(name: string, value: unknown): unknown;
  style(name: string, value: unknown): unknown;
  text(value: unknown): unknown;
}

/** The part of a frame's data that says whether it has room for a label. */
interface Labelled {
  readonly data: { readonly hasLabel: boolean };
}

const hidden = 'is-hidden';

/** The element of a frame's label where it has one; else it is hidden and emptied, so that nobody finds an old name in it. */
function labelBox(this: Element, { data }: Labelled): Element | null {
  const box = this.lastElementChild;
  if (box === null) return null;
  const wasHidden = box.classList.contains(hidden);
  if (data.hasLabel) {
    if (wasHidden) box.classList.remove(hidden);
    return box;
  }
  if (wasHidden) return null;
  box.classList.add(hidden);
  const label = box.firstElementChild;
  label?.removeAttribute('style');
  label?.removeAttribute('class');
  label?.replaceChildren();
  return null;
}

const { select } = selection.prototype;

Object.assign(selection.prototype, {
  transition(this: Target) {
    return new InstantTransition(this);
  },
  on<T>(this: T): T {
    return this;
  },
  select(this: typeof selection.prototype, selector: string | ((this: BaseType) => BaseType)) {
    return select.call(this, (selector === 'foreignObject' ? labelBox : selector) as never);
  },
});
