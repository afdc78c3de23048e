import { type BaseType, selection } from 'd3-selection';

/**
 * Stands in for d3-transition (vite.config.ts), and fits d3-selection to what d3-flame-graph does with it for every frame of a picture. Measured on pictures
 * of 1,600 frames, what is left out here took more time than all the rest of a drawing:
 *
 * - Transitions. With a duration of 0, which is what the page asks for, d3-transition still makes two timers for every frame and sets labels
 *   some frames later. Here everything takes its last value at once.
 * - Listeners of each frame. The page takes events where they bubble to (flame-graph.tsx).
 * - Labels of frames that have no room for one. Their `foreignObject` would be a box and a layer of the browser's layout even when it is empty: there is none. Most frames of a
 *   big picture are that narrow.
 * - Width and height of groups, which mean nothing in SVG.
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

/** The element of a frame's label where there is room for one; made and removed as frames become wide and narrow. */
function labelBox(this: Element, { data }: Labelled): Element | null {
  const last = this.lastElementChild;
  const box = last?.localName === 'foreignObject' ? last : null;
  if (data.hasLabel) return box ?? this.appendChild(emptyBox());
  box?.remove();
  return null;
}

function emptyBox(): Element {
  const box = document.createElementNS('http://www.w3.org/2000/svg', 'foreignObject');
  box.append(document.createElement('div'));
  return box;
}

function none(): null {
  return null;
}

const { append, attr, select } = selection.prototype;

Object.assign(selection.prototype, {
  transition(this: Target) {
    return new InstantTransition(this);
  },
  on<T>(this: T): T {
    return this;
  },
  append(this: typeof selection.prototype, name: string) {
    return name === 'foreignObject' ? select.call(this, none as never) : append.call(this, name);
  },
  attr(this: typeof selection.prototype, name: string, ...value: never[]) {
    const isOfNoUse = (name === 'width' || name === 'height') && (this.node() as Element | null)?.localName === 'g';
    return isOfNoUse ? this : (attr as (...all: unknown[]) => unknown).call(this, name, ...value);
  },
  select(this: typeof selection.prototype, selector: string | ((this: BaseType) => BaseType)) {
    return select.call(this, (selector === 'foreignObject' ? labelBox : selector) as never);
  },
});
