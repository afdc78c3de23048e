import { selection } from 'd3-selection';

/**
 * Stands in for d3-transition (vite.config.ts). d3-flame-graph animates each frame and each label on its own; with a duration
 * of 0, which is what the page asks for, d3-transition still makes two timers for every frame, sets the labels some frames later, and
 * takes more time than all the rest of a drawing. Here everything takes its last value at once.
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

Object.assign(selection.prototype, {
  transition(this: Target) {
    return new InstantTransition(this);
  },
});
