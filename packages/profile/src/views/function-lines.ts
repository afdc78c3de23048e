import type { Profile } from '../profile.ts';
import { dropUninteresting } from './drop-frames.ts';
import { framesOfLocation } from './location-frames.ts';
import { compareText } from './tree.ts';

/** What a sample is worth; exact. */
interface Weight {
  self: bigint;
  total: bigint;
  samples: number;
  selfSamples: number;
}

/** One line of source of a function, in one build of its binary. */
export interface FunctionLine extends Readonly<Weight> {
  readonly file: string;
  /** 0: the profile does not say. */
  readonly line: bigint;
  readonly binary: string;
  /** Empty where the profile does not say. */
  readonly buildId: string;
}

export interface FunctionLines {
  readonly function: Readonly<Weight>;
  /** By file, then line, then build. */
  readonly lines: readonly FunctionLine[];
}

/**
 * What each line of the function `name` costs, as `go tool pprof -list` counts: `self` of the samples that end in the line,
 * `total` of those that pass through it, each sample once per line however often the function recurses, none with the value 0. Inlined
 * copies count. Linear in the lengths of the stacks.
 */
export function linesOfFunction(source: Profile, typeIndex: number, name: string): FunctionLines {
  const profile = dropUninteresting(source);
  const { samples, stacks, sampleTypes } = profile;
  const places = new Places(profile, name);
  const whole = nothing();
  /** The last sample, counted from 1, that passed through each line. */
  const seen: number[] = [];
  for (let i = 0; i < samples.length; i++) {
    const value = samples.values[i * sampleTypes.length + typeIndex] ?? 0n;
    if (value === 0n) continue;
    const count = samples.count[i] ?? 0;
    const leaf = samples.stack[i] ?? 0;
    let isIn = false;
    for (let stack = leaf; stack !== 0; stack = stacks.parent[stack] ?? 0) {
      for (const at of places.at(stacks.location[stack] ?? 0).lines) {
        isIn = true;
        if (seen[at] === i + 1) continue;
        seen[at] = i + 1;
        addTotal(places.weight(at), value, count);
      }
    }
    if (!isIn) continue;
    addTotal(whole, value, count);
    const end = places.at(stacks.location[leaf] ?? 0).end;
    if (end === undefined) continue;
    addSelf(places.weight(end), value, count);
    addSelf(whole, value, count);
  }
  const lines = places.lines.filter(({ samples: count, total }) => count !== 0 || total !== 0n);
  lines.sort(
    (a, b) =>
      compareText(a.file, b.file) ||
      Number(a.line - b.line) ||
      compareText(a.binary, b.binary) ||
      compareText(a.buildId, b.buildId),
  );
  return { function: whole, lines };
}

interface Place {
  /** Lines of the function at a location, as places in `lines`. */
  readonly lines: readonly number[];
  /** That in which a sample ends whose leaf the location is. */
  readonly end: number | undefined;
}

const nowhere: Place = { lines: [], end: undefined };

/** Which lines of one function stand at each location. */
class Places {
  readonly lines: (FunctionLine & Weight)[] = [];
  readonly #rows = new Map<string, number>();
  readonly #known = new Map<number, Place>();
  readonly #profile: Profile;
  readonly #name: string;

  constructor(profile: Profile, name: string) {
    this.#profile = profile;
    this.#name = name;
  }

  weight(at: number): Weight {
    const line = this.lines[at];
    if (line === undefined) throw new Error(`there is no line ${at}`);
    return line;
  }

  at(location: number): Place {
    const known = this.#known.get(location);
    if (known !== undefined) return known;
    const { locations, mappings, strings } = this.#profile;
    const first = locations.lineOffset[location] ?? 0;
    const hasLines = first !== (locations.lineOffset[location + 1] ?? 0);
    const build = mappings.buildIdString[locations.mapping[location] ?? 0] ?? 0;
    const found = new Set<number>();
    let end: number | undefined;
    for (const [inner, frame] of framesOfLocation(this.#profile, location).entries()) {
      if (frame.name !== this.#name) continue;
      const line = hasLines ? (locations.lineNumber[first + inner] ?? 0n) : 0n;
      const row = this.#rowOf(frame.file, line, frame.binary, strings[build] ?? '');
      found.add(row);
      if (inner === 0) end = row;
    }
    const place = found.size === 0 ? nowhere : { lines: [...found], end };
    this.#known.set(location, place);
    return place;
  }

  #rowOf(file: string, line: bigint, binary: string, buildId: string): number {
    const key = JSON.stringify([file, String(line), binary, buildId]);
    const known = this.#rows.get(key);
    if (known !== undefined) return known;
    const row = this.lines.push({ file, line, binary, buildId, ...nothing() }) - 1;
    this.#rows.set(key, row);
    return row;
  }
}

function nothing(): Weight {
  return { self: 0n, total: 0n, samples: 0, selfSamples: 0 };
}

function addTotal(weight: Weight, value: bigint, count: number): void {
  weight.total += value;
  weight.samples += count;
}

function addSelf(weight: Weight, value: bigint, count: number): void {
  weight.self += value;
  weight.selfSamples += count;
}
