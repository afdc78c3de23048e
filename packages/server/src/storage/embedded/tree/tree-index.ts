import { discard, type FrameKind } from '@everflame/profile';
import type { Dictionary } from '../dictionary.ts';
import type { Part } from '../part.ts';
import { DictionaryNodes } from './dictionary-nodes.ts';
import { LeafSums } from './leaf-sums.ts';
import { NodeSums } from './node-sums.ts';
import { NodeTable } from './node-table.ts';

/** Frames of the index in the order in which they first occur; their files, binaries and kinds there. */
export interface FrameOrigins {
  /** By frame: 1 for those that these do not speak of. */
  readonly except?: Uint8Array;
  readonly frames: number[];
  readonly files: string[];
  readonly binaries: string[];
  readonly kinds: FrameKind[];
}

/** Where the stacks of a part are in the index, and what the part says of the frames that it has. */
export interface PartNodes {
  /** By the number that vectors give: the node; 0 for those of an epoch that nobody has asked for. */
  nodes: Uint32Array;
  /** Of an epoch: sees to it that these have their nodes. */
  readonly prepare: ((leaves: Uint32Array) => void) | null;
  /**
   * What frames are on the stacks of these leaves. An epoch holds all services: many programs have a `main`, each in a file and a binary of its own.
   */
  readonly originsOf: (leaves: Uint32Array) => readonly FrameOrigins[];
  /** A mapping with a build ID names frames that have no function: which name they get depends on what they are merged with. */
  isNamedByBinary: boolean;
}

/** Above this the index is made anew for the next question: about 100 MB with what questions need for it. */
const maxNodes = 2_000_000;
/** From 15 MB on. */
const largeNodes = 500_000;

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
  readonly #parts = new WeakMap<Part | Dictionary, PartNodes>();
  readonly #texts = new Map<string, string>();
  #ranks = new Uint32Array(0);
  /** For the question at hand. */
  readonly leafSums = new LeafSums();
  readonly nodeSums = new NodeSums();
  /** Of the second side of a comparison. */
  readonly otherNodeSums = new NodeSums();

  get isLarge(): boolean {
    return this.nodes.length > largeNodes;
  }

  get isFull(): boolean {
    return this.nodes.length > maxNodes;
  }

  of(part: Part): PartNodes {
    const known = this.#parts.get(part);
    if (known !== undefined) return known;
    // Not before it is needed: a block reads its dictionary for it.
    const { leaves, dictionary } = part;
    if (leaves === null) {
      const growing = this.#parts.get(dictionary) ?? new DictionaryNodes(this, dictionary);
      this.#parts.set(dictionary, growing);
      return growing;
    }
    const stacks = new DictionaryNodes(this, dictionary);
    stacks.prepareAll();
    const own = stacks.ofLeaves(leaves);
    this.#parts.set(part, own);
    // Which node a leaf is, is all that trees need of it. A question about a month reads hundreds of megabytes of these.
    part.release?.();
    dictionary.discard();
    discard(leaves);
    return own;
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

  /** Gives its memory back: it must not be used afterwards. */
  discard(): void {
    this.nodes.discard();
    this.leafSums.discard();
    this.nodeSums.discard();
    this.otherNodeSums.discard();
  }
}
