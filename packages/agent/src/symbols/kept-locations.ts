import type { Module, ModuleView } from './module.ts';
import type { ResolvedLocation } from './symbolizer.ts';

/**
 * The names of addresses in files, some 200 bytes each, in two generations: when the younger one is full the older one goes, less what was asked for again
 * meanwhile. What a program does all the time keeps its name while others come and go, and so does its file: the debugging information that it came from
 * may have had to make room by then.
 */
export class KeptLocations {
  readonly #most: number;
  readonly #modules: () => Iterable<Module>;
  #young = 0;

  /** `most`: of both generations together. */
  constructor(most: number, modules: () => Iterable<Module>) {
    this.#most = most;
    this.#modules = modules;
  }

  get(view: ModuleView, offset: number): ResolvedLocation | undefined {
    const location = view.locations.get(offset);
    if (location !== undefined) return location;
    const older = view.before.get(offset);
    if (older !== undefined) this.set(view, offset, older);
    return older;
  }

  set(view: ModuleView, offset: number, location: ResolvedLocation): void {
    if (this.#young >= this.#most / 2) this.#age();
    if (!view.locations.has(offset)) this.#young++;
    view.locations.set(offset, location);
  }

  #age(): void {
    for (const module of this.#modules()) {
      for (const view of module.views.values()) {
        view.before = view.locations;
        view.locations = new Map();
      }
      module.lines.clear();
    }
    this.#young = 0;
  }
}
