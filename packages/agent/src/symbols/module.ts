import type { ResolvedLine, ResolvedLocation, ResolvedMapping } from './symbolizer.ts';
import type { DebugNeeds, WireSegment } from './worker-messages.ts';

/** What the main thread knows of a file that is mapped executable; its table of functions is the worker's. */
export interface Module {
  readonly key: string;
  state:
    | { readonly kind: 'unread' }
    /** `isResident` turns false when the worker had to make room for others. */
    | {
        readonly kind: 'loaded';
        readonly buildId: string;
        readonly segments: readonly WireSegment[];
        readonly debug: DebugNeeds;
        isResident: boolean;
      }
    /** No ELF file, so no hope. */
    | { readonly kind: 'foreign' }
    | { readonly kind: 'failed'; readonly retryMs: number };
  loading: Promise<void> | undefined;
  /** Of the file that was read last. */
  stamp: string;
  /** When that was last compared with the file that is there; performance.now(). */
  checkedMs: number;
  /** By the path that is shown: two containers may have one file at two places. */
  readonly views: Map<string, ModuleView>;
  /** Lines by system name, so that equal ones are one object. */
  readonly lines: Map<string, readonly ResolvedLine[]>;
}

/** A module under one path. */
export interface ModuleView {
  readonly path: string;
  /** By file offset; of late, and before. See KeptLocations. */
  locations: Map<number, ResolvedLocation>;
  before: Map<number, ResolvedLocation>;
  readonly mappings: Map<WireSegment, ResolvedMapping>;
  /** Where the file could not be read; by range of file offsets. */
  readonly offsetMappings: Map<string, ResolvedMapping>;
}

export function createModule(key: string): Module {
  return {
    key,
    state: { kind: 'unread' },
    loading: undefined,
    stamp: '',
    checkedMs: -Infinity,
    views: new Map(),
    lines: new Map(),
  };
}

/** The module as it is seen at a path; made at the first call. */
export function viewOf(module: Module, path: string): ModuleView {
  let view = module.views.get(path);
  if (view === undefined) {
    view = { path, locations: new Map(), before: new Map(), mappings: new Map(), offsetMappings: new Map() };
    module.views.set(path, view);
  }
  return view;
}
