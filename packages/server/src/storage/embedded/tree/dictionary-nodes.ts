import { discard, type FrameKind, frameKind } from '@everflame/profile';
import { type Dictionary, functionWords, lineWords, locationWords, mappingWords, stackWords } from '../dictionary.ts';
import { Marks } from './marks.ts';
import type { FrameOrigins, PartNodes, TreeIndex } from './tree-index.ts';

/**
 * The nodes of a dictionary's stacks, given to those that are asked for: the dictionary of an epoch holds all services and grows, and a question is mostly about
 * one service and a few minutes.
 */
export class DictionaryNodes implements PartNodes {
  nodes = new Uint32Array(1);
  readonly origins: FrameOrigins = { frames: [], files: [], binaries: [], kinds: [] };
  isNamedByBinary = false;
  readonly #index: TreeIndex;
  readonly #dictionary: Dictionary;
  readonly #wanted = new Marks();
  /** By location: its frames are those from `#starts` up to `#ends` in `#frames`, outermost first. An end of 0: they are not known yet. */
  #starts = new Uint32Array(1);
  #ends = new Uint32Array(1);
  #frames = new Uint32Array(64);
  #frameCount = 1;
  /** By function: its frame, and its mapping when that was found; 0 when it was not yet. */
  #frameOf = new Uint32Array(1);
  #mappingOf = new Uint32Array(1);
  readonly #seen = new Map<number, number>();
  /** By frame: 1 where it stands for several functions of one name. */
  #shared = new Uint8Array(64);
  #hasShared = false;

  constructor(index: TreeIndex, dictionary: Dictionary) {
    this.#index = index;
    this.#dictionary = dictionary;
  }

  /** Gives nodes to all stacks. */
  prepareAll(): void {
    this.#grow();
    for (let location = 0; location < this.#dictionary.locations.length; location++) this.#follow(location);
    const { words, length } = this.#dictionary.stacks;
    this.#index.nodes.follow({ ...this.#frameColumns(), words, first: 1, end: length }, this.nodes);
  }

  /** What a part keeps of them: the nodes of its leaves, by the number that vectors give. They must not be used afterwards. */
  ofLeaves(leaves: Uint32Array): PartNodes {
    const nodes = new Uint32Array(leaves.length);
    for (let i = 0; i < leaves.length; i++) nodes[i] = this.nodes[leaves[i] ?? 0] ?? 0;
    discard(this.nodes, this.#starts, this.#ends, this.#frames, this.#frameOf, this.#mappingOf);
    return { nodes, prepare: null, originsOf: always([this.origins]), isNamedByBinary: this.isNamedByBinary };
  }

  prepare(leaves: Uint32Array): void {
    this.#grow();
    const { nodes } = this;
    const wanted = this.#wanted;
    const { words, length } = this.#dictionary.stacks;
    let hasNew = false;
    for (const leaf of leaves) {
      let stack = leaf;
      while (stack > 0 && nodes[stack] === 0 && !wanted.has(stack)) {
        wanted.add(stack);
        hasNew = true;
        this.#follow(words[stack * stackWords.count + stackWords.location] ?? 0);
        stack = words[stack * stackWords.count + stackWords.parent] ?? 0;
      }
    }
    if (!hasNew) return;
    this.#index.nodes.follow({ ...this.#frameColumns(), words, first: 1, end: length, wanted }, nodes);
    wanted.clear();
  }

  originsOf(leaves: Uint32Array): readonly FrameOrigins[] {
    if (!this.#hasShared) return [this.origins];
    const own: FrameOrigins = { frames: [], files: [], binaries: [], kinds: [] };
    const seen = new Map<number, number>();
    const { words, length } = this.#dictionary.stacks;
    const isDone = new Uint8Array(this.#dictionary.locations.length);
    const visited = new Marks();
    visited.reserve(length);
    for (const leaf of leaves) {
      for (let stack = leaf; stack > 0 && !visited.has(stack);) {
        visited.add(stack);
        const location = words[stack * stackWords.count + stackWords.location] ?? 0;
        if (isDone[location] === 0) {
          isDone[location] = 1;
          if (this.#isShared(location)) this.#noteOrigins(location, own, seen);
        }
        stack = words[stack * stackWords.count + stackWords.parent] ?? 0;
      }
    }
    return [{ ...this.origins, except: this.#shared }, own];
  }

  #isShared(location: number): boolean {
    const end = this.#ends[location] ?? 0;
    for (let at = this.#starts[location] ?? 0; at < end; at++)
      if (this.#shared[this.#frames[at] ?? 0] === 1) return true;
    return false;
  }

  #noteOrigins(location: number, origins: FrameOrigins, seen: Map<number, number>): void {
    this.#eachFrame(location, (mapping, number) => {
      const { name, ...origin } = this.#originOf(mapping, number);
      const frame = this.#index.frame(name);
      if (this.#shared[frame] === 1) note(origins, seen, frame, origin);
    });
  }

  #frameColumns() {
    return { starts: this.#starts, ends: this.#ends, frames: this.#frames };
  }

  /** Room for what the dictionary has got. */
  #grow(): void {
    const { stacks, locations, functions } = this.#dictionary;
    this.nodes = roomFor(this.nodes, stacks.length);
    this.#wanted.reserve(stacks.length);
    this.#starts = roomFor(this.#starts, locations.length);
    this.#ends = roomFor(this.#ends, locations.length);
    this.#frameOf = roomFor(this.#frameOf, functions.length);
    this.#mappingOf = roomFor(this.#mappingOf, functions.length);
  }

  /** Finds out the frames of a location. */
  #follow(location: number): void {
    if (this.#ends[location] !== 0) return;
    this.#starts[location] = this.#frameCount;
    this.#eachFrame(location, (mapping, number) => {
      this.#frames = roomFor(this.#frames, this.#frameCount + 1);
      this.#frames[this.#frameCount++] = this.#frame(mapping, number);
    });
    this.#ends[location] = this.#frameCount;
  }

  /** Frames of a location, outermost first: their mapping and function. */
  #eachFrame(location: number, take: (mapping: number, number: number) => void): void {
    const { locations } = this.#dictionary;
    const { words } = locations;
    const start = locations.start(location);
    const first = start + locationWords.count;
    const end = locations.end(location);
    if (start >= end) return;
    const mapping = words[start + locationWords.mapping] ?? 0;
    if (first >= end) take(mapping, 0);
    for (let at = end - lineWords.count; at >= first; at -= lineWords.count) {
      take(mapping, words[at + lineWords.function] ?? 0);
    }
  }

  #frame(mapping: number, number: number): number {
    // Of a function in another binary the name is the same, but not what is noted of it.
    const known = this.#frameOf[number] ?? 0;
    if (number > 0 && known > 0 && this.#mappingOf[number] === mapping) return known;
    const { name, ...origin } = this.#originOf(mapping, number);
    const row = this.#index.frame(name);
    if (origin.kind === 'unsymbolized') {
      const { mappings } = this.#dictionary;
      if (mappings.words[mapping * mappingWords.count + mappingWords.buildId] !== 0) this.isNamedByBinary = true;
    }
    if (!note(this.origins, this.#seen, row, origin)) {
      if (row >= this.#shared.length) {
        const larger = new Uint8Array(row * 2);
        larger.set(this.#shared);
        this.#shared = larger;
      }
      this.#shared[row] = 1;
      this.#hasShared = true;
    }
    this.#frameOf[number] = row;
    this.#mappingOf[number] = mapping;
    return row;
  }

  /** As `framesOfLocation` names it. */
  #originOf(mapping: number, number: number): Origin & { readonly name: string } {
    const { functions, mappings } = this.#dictionary;
    const text = (at: number | undefined) => this.#index.text(this.#dictionary.text(at ?? 0));
    const binary = text(mappings.words[mapping * mappingWords.count + mappingWords.file]);
    const name = text(functions.words[number * functionWords.count + functionWords.name]);
    const file = text(functions.words[number * functionWords.count + functionWords.file]);
    if (name !== '') return { name, file, binary, kind: frameKind(name, binary, file) };
    const base = binary.slice(binary.lastIndexOf('/') + 1);
    return { name: base === '' ? '<unknown>' : `[${base}]`, file, binary, kind: 'unsymbolized' };
  }
}

/** A function made where another one is made as well would keep all that either of them uses. */
function always<T>(value: T): () => T {
  return () => value;
}

/** The column with room for so many; doubled, so that one that grows by little is not copied each time. */
function roomFor(column: Uint32Array<ArrayBuffer>, length: number): Uint32Array<ArrayBuffer> {
  if (length <= column.length) return column;
  const larger = new Uint32Array(column.length === 1 ? length : Math.max(length, Math.ceil(column.length * 1.5)));
  larger.set(column);
  return larger;
}

interface Origin {
  readonly file: string;
  readonly binary: string;
  readonly kind: FrameKind;
}

/**
 * As `FrameTable` takes it: of file and binary the first that is not empty, of the kinds the first. False where another function of that name was
 * there. `seen`: the place of each frame.
 */
function note(origins: FrameOrigins, seen: Map<number, number>, frame: number, origin: Origin): boolean {
  const { file, binary, kind } = origin;
  const place = seen.get(frame);
  if (place === undefined) {
    seen.set(frame, origins.frames.push(frame) - 1);
    origins.files.push(file);
    origins.binaries.push(binary);
    origins.kinds.push(kind);
    return true;
  }
  const isSame = origins.files[place] === file && origins.binaries[place] === binary && origins.kinds[place] === kind;
  if (origins.files[place] === '') origins.files[place] = file;
  if (origins.binaries[place] === '') origins.binaries[place] = binary;
  return isSame;
}
