import { type FrameKind, frameKind } from '@everflame/profile';
import { type Dictionary, functionWords, lineWords, locationWords, mappingWords, stackWords } from '../dictionary.ts';
import type { Part } from '../part.ts';
import { NodeTable } from './node-table.ts';

/** Frames of the index in the order in which they first occur; their files, binaries and kinds there. */
export interface FrameOrigins {
  readonly frames: number[];
  readonly files: string[];
  readonly binaries: string[];
  readonly kinds: FrameKind[];
}

/** Where the stacks of a part are in the index, and what the part says of the frames that it has. */
export interface PartNodes extends FrameOrigins {
  /** By the number that vectors give: the node. */
  nodes: Uint32Array;
  /**
   * Of an epoch, which holds all services: what their frames are on the stacks that have a value. Many programs have a `main`, each in a file
   * and a binary of its own. Null for the profiles of one service.
   */
  readonly originsOf: ((values: Float64Array) => FrameOrigins) | null;
  /** A mapping with a build ID names frames that have no function: which name they get depends on what they are merged with. */
  isNamedByBinary: boolean;
}

/** Above this the index is made anew for the next question: about 100 MB with what questions need for it. */
const maxNodes = 2_000_000;

/**
 * The union of the call trees of all parts that were asked about, by names of functions as in `buildTree`: nodes are given
 * once, so that a question is left with adding numbers. One for each reader.
 */
export class TreeIndex {
  readonly nodes = new NodeTable();
  /** Names of frames; row 0 is the root's. */
  readonly names: string[] = [''];
  readonly #rows = new Map<string, number>();
  /** Blocks never change; the dictionary of an epoch grows. */
  readonly #parts = new WeakMap<Part | Dictionary, PartNodes & { readonly growing: Growing | null }>();
  readonly #texts = new Map<string, string>();
  #ranks = new Uint32Array(0);
  #sums = emptySums(1);
  #places = new Uint32Array(1);

  get isFull(): boolean {
    return this.nodes.length > maxNodes;
  }

  of(part: Part): PartNodes {
    const { leaves } = part;
    const key = leaves === null ? part.dictionary : part;
    let known = this.#parts.get(key);
    if (known === undefined) {
      const growing = new Growing(this, part.dictionary);
      growing.follow();
      const nodes = leaves === null ? growing.own.nodes : leaves.map((stack) => growing.own.nodes[stack] ?? 0);
      const originsOf = (values: Float64Array): FrameOrigins => growing.originsOf(values);
      const isEpoch = leaves === null;
      known = { ...growing.own, nodes, growing: isEpoch ? growing : null, originsOf: isEpoch ? originsOf : null };
      this.#parts.set(key, known);
      // Which node a leaf is, is all that trees need of it.
      part.release?.();
    } else if (known.growing !== null) {
      known.growing.follow();
      known.nodes = known.growing.own.nodes;
      known.isNamedByBinary = known.growing.own.isNamedByBinary;
    }
    return known;
  }

  /** Columns by node for the question at hand, as long as there are nodes or longer. */
  sums(): NodeSums {
    if (this.#sums.self.length < this.nodes.length) {
      const length = Math.ceil(this.nodes.length * 1.25);
      const { self, selfSamples } = this.#sums;
      this.#sums = emptySums(length);
      this.#sums.self.set(self);
      this.#sums.selfSamples.set(selfSamples);
      this.#places = new Uint32Array(length);
    }
    return this.#sums;
  }

  /** Zeros for a new question. */
  clearSums(): void {
    this.#sums.self.fill(0);
    this.#sums.selfSamples.fill(0);
  }

  /** Zeros by node. */
  places(): Uint32Array {
    return this.#places.fill(0);
  }

  /** The row of the function's name. */
  frame(name: string): number {
    const known = this.#rows.get(name);
    if (known !== undefined) return known;
    const row = this.names.push(name) - 1;
    this.#rows.set(name, row);
    return row;
  }

  /** One string for equal ones of several dictionaries. */
  text(value: string): string {
    const known = this.#texts.get(value);
    if (known !== undefined) return known;
    this.#texts.set(value, value);
    return value;
  }

  /** The place of each frame when all are sorted by name. */
  ranks(): Uint32Array {
    const { names } = this;
    if (this.#ranks.length === names.length) return this.#ranks;
    const rows = Array.from(names.keys()).sort((a, b) => ((names[a] ?? '') < (names[b] ?? '') ? -1 : 1));
    this.#ranks = new Uint32Array(names.length);
    for (const [rank, row] of rows.entries()) this.#ranks[row] = rank;
    return this.#ranks;
  }
}

interface NodeSums {
  readonly self: Float64Array;
  readonly selfSamples: Float64Array;
  readonly total: Float64Array;
  readonly samples: Float64Array;
}

function emptySums(length: number): NodeSums {
  const column = () => new Float64Array(length);
  return { self: column(), selfSamples: column(), total: column(), samples: column() };
}

/** Takes over what a dictionary has got since the last time. */
class Growing {
  readonly own: PartNodes = {
    nodes: new Uint32Array(1),
    frames: [],
    files: [],
    binaries: [],
    kinds: [],
    isNamedByBinary: false,
    originsOf: null,
  };
  /** Frames that stand for several functions of one name. */
  readonly #shared = new Set<number>();
  readonly #index: TreeIndex;
  readonly #dictionary: Dictionary;
  #stacks = 1;
  /** By location: its frames, outermost first, one after the other in `#frames`. */
  #frameStart = new Uint32Array(1);
  #frames = new Uint32Array(64);
  #frameCount = 0;
  #locations = 0;
  readonly #seen = new Map<number, number>();

  constructor(index: TreeIndex, dictionary: Dictionary) {
    this.#index = index;
    this.#dictionary = dictionary;
  }

  follow(): void {
    const { stacks } = this.#dictionary;
    if (this.#stacks === stacks.length) return;
    this.#followLocations();
    const nodes = new Uint32Array(stacks.length);
    nodes.set(this.own.nodes);
    const { words } = stacks;
    const table = this.#index.nodes;
    const starts = this.#frameStart;
    const frames = this.#frames;
    table.reserve(stacks.length - this.#stacks);
    for (let stack = this.#stacks; stack < stacks.length; stack++) {
      const location = words[stack * stackWords.count + stackWords.location] ?? 0;
      let node = nodes[words[stack * stackWords.count + stackWords.parent] ?? 0] ?? 0;
      for (let at = starts[location] ?? 0; at < (starts[location + 1] ?? 0); at++) {
        node = table.child(node, frames[at] ?? 0);
      }
      nodes[stack] = node;
    }
    this.own.nodes = nodes;
    this.#stacks = stacks.length;
  }

  /** See `PartNodes`; `values` are by stack. */
  originsOf(values: Float64Array): FrameOrigins {
    const { own } = this;
    if (this.#shared.size === 0) return own;
    const origins: FrameOrigins = { frames: [], files: [], binaries: [], kinds: [] };
    const seen = new Map<number, number>();
    const { words } = this.#dictionary.stacks;
    const isDone = new Uint8Array(this.#dictionary.locations.length);
    const isVisited = new Uint8Array(this.#stacks);
    for (let leaf = 1; leaf < this.#stacks; leaf++) {
      if ((values[leaf] ?? 0) === 0) continue;
      for (let stack = leaf; stack > 0 && isVisited[stack] === 0;) {
        isVisited[stack] = 1;
        const location = words[stack * stackWords.count + stackWords.location] ?? 0;
        if (isDone[location] === 0) {
          isDone[location] = 1;
          this.#eachFrame(location, (mapping, number) => {
            const { name, ...origin } = this.#originOf(mapping, number);
            note(origins, seen, this.#index.frame(name), origin);
          });
        }
        stack = words[stack * stackWords.count + stackWords.parent] ?? 0;
      }
    }
    return origins;
  }

  #followLocations(): void {
    const { locations } = this.#dictionary;
    const starts = new Uint32Array(locations.length + 1);
    starts.set(this.#frameStart.subarray(0, this.#locations + 1));
    for (let location = this.#locations; location < locations.length; location++) {
      this.#eachFrame(location, (mapping, number) => this.#push(this.#frame(mapping, number)));
      starts[location + 1] = this.#frameCount;
    }
    this.#frameStart = starts;
    this.#locations = locations.length;
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
    const { name, ...origin } = this.#originOf(mapping, number);
    const row = this.#index.frame(name);
    if (origin.kind === 'unsymbolized') {
      const { mappings } = this.#dictionary;
      if (mappings.words[mapping * mappingWords.count + mappingWords.buildId] !== 0) this.own.isNamedByBinary = true;
    }
    if (!note(this.own, this.#seen, row, origin)) this.#shared.add(row);
    return row;
  }

  /** As `framesOfLocation` names it. */
  #originOf(mapping: number, number: number): Origin & { readonly name: string } {
    const { functions, mappings } = this.#dictionary;
    const text = (at: number | undefined) => this.#index.text(this.#dictionary.text(at ?? 0));
    const binary = text(mappings.words[mapping * mappingWords.count + mappingWords.file]);
    const name = text(functions.words[number * functionWords.count + functionWords.name]);
    const file = text(functions.words[number * functionWords.count + functionWords.file]);
    if (name !== '') return { name, file, binary, kind: frameKind(name, binary) };
    const base = binary.slice(binary.lastIndexOf('/') + 1);
    return { name: base === '' ? '<unknown>' : `[${base}]`, file, binary, kind: 'unsymbolized' };
  }

  #push(frame: number): void {
    if (this.#frameCount === this.#frames.length) {
      const larger = new Uint32Array(this.#frames.length * 2);
      larger.set(this.#frames);
      this.#frames = larger;
    }
    this.#frames[this.#frameCount++] = frame;
  }
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
