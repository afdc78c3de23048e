import type { ProfileBuilder } from '../build/profile-builder.ts';
import type { Profile } from '../profile.ts';

/** A file of another tool as a profile; or a sentence for people: what is wrong with it, and where. */
export type ImportResult =
  | {
      readonly ok: true;
      readonly profile: Profile;
      /** What was left out or rounded, in sentences. */ readonly notes: readonly string[];
    }
  | { readonly ok: false; readonly message: string };

/** Stacks of other tools end at 127 or 1,024 frames; deeper ones are refused, not cut. */
export const MAX_IMPORT_DEPTH = 4096;
/** Of one line of text. */
export const MAX_IMPORT_LINE = 1_000_000;

export function refused(message: string): ImportResult {
  return { ok: false, message };
}

/** Thrown and caught within an importer. */
export class ImportError extends Error {}

/** Turns what an importer throws for bad input into its result; bugs go on. */
export function importing(read: () => ImportResult): ImportResult {
  try {
    return read();
  } catch (error) {
    if (error instanceof ImportError) return refused(error.message);
    throw error;
  }
}

export const samplesType = { type: 'samples', unit: 'count' } as const;

/** A location for each frame of a function without an address. */
export class NamedFrames {
  readonly #builder: ProfileBuilder;

  constructor(builder: ProfileBuilder) {
    this.#builder = builder;
  }

  location(name: string, file = '', line = 0): number {
    const row = this.#builder.function({ name, file });
    return this.#builder.location({ lines: [{ function: row, line }] });
  }
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
