import { type BlockFact, blocksOf } from './block/block.ts';
import { DamagedBlock } from './block/block-file.ts';
import { countsProblems } from './counts/counts-problems.ts';
import { explained, openForReading } from './database.ts';
import {
  Dictionary,
  functionWords,
  labelWords,
  lineWords,
  locationWords,
  mappingWords,
  stackWords,
} from './dictionary.ts';
import { EpochDictionary, epochPart, epochsOf } from './epoch-part.ts';
import type { Part, PartSeries } from './part.ts';
import { openBlock } from './sources.ts';
import { decodeTotals } from './vector.ts';
import { Vector } from './vector-scratch.ts';
import type { WordTable } from './word-table.ts';

export interface VerifyReport {
  readonly blocks: number;
  readonly profiles: number;
  /** What is wrong, one line each; empty when all is well. */
  readonly problems: readonly string[];
}

/**
 * Reads everything in a store: checksums, references into dictionaries, each profile's sums against its totals, each rollup
 * and the kept counts by function against what they sum. A server may run meanwhile, but what it merges away is then called missing.
 *
 * @throws StorageError when the data base cannot be opened
 */
export function verifyStore(dataDir: string): VerifyReport {
  return explained(dataDir, () => {
    const db = openForReading(dataDir);
    const problems: string[] = [];
    let profiles = 0;
    const check = (where: string, part: () => Part) => {
      try {
        profiles += new PartCheck(part(), (problem) => problems.push(`${where}: ${problem}`)).run();
      } catch (error) {
        if (!(error instanceof DamagedBlock) && !(error instanceof RangeError) && !isMissing(error)) throw error;
        problems.push(`${where}: ${error.message}`);
      }
    };
    try {
      const answer = db.pragma('quick_check', { simple: true });
      if (answer !== 'ok') problems.push(`everflame.db: ${String(answer)}`);
      const blocks = blocksOf(db);
      for (const fact of blocks) {
        const before = profiles;
        const count = problems.length;
        verifyBlock(dataDir, fact, check);
        if (problems.length === count && profiles - before !== fact.profiles) {
          problems.push(`${fact.id}.block: ${profiles - before} profiles instead of ${fact.profiles}`);
        }
      }
      for (const epoch of epochsOf(db)) {
        check(`everflame.db, epoch ${epoch}`, () => {
          const dictionary = new EpochDictionary();
          dictionary.follow(db, epoch);
          return epochPart(db, epoch, dictionary);
        });
      }
      return { blocks: blocks.length, profiles, problems };
    } finally {
      db.close();
    }
  });
}

function verifyBlock(dataDir: string, { id }: BlockFact, check: (where: string, part: () => Part) => void): void {
  const where = `${id}.block`;
  const opened: ReturnType<typeof openBlock>[] = [];
  check(where, () => {
    opened.push(openBlock(dataDir, id));
    return nothing;
  });
  for (const block of opened) {
    for (const group of block.groups) check(`${where}, service "${group.service}"`, () => block.part(group));
    block.close();
  }
}

class PartCheck {
  readonly #part: Part;
  readonly #say: (problem: string) => void;
  readonly #vector = new Vector();

  constructor(part: Part, say: (problem: string) => void) {
    this.#part = part;
    this.#say = say;
  }

  /** Answers how many profiles there are. */
  run(): number {
    const { dictionary, leaves, series } = this.#part;
    for (const problem of referenceProblems(dictionary)) this.#say(problem);
    if (leaves?.some((stack) => stack >= dictionary.stacks.length) === true) this.#say('a leaf has no stack');
    let profiles = 0;
    for (const one of series) profiles += this.#series(one);
    for (const problem of countsProblems(this.#part)) this.#say(problem);
    return profiles;
  }

  #series(series: PartSeries): number {
    const rows = series.rows();
    const name = JSON.stringify(series.labels);
    if (rows.length !== series.profiles) this.#say(`${name}: ${rows.length} profiles instead of ${series.profiles}`);
    const sums = rows.map((row, i) => {
      series.read(i, this.#vector);
      const own = this.#sums(row.header.sampleTypes.length);
      const { values } = decodeTotals(row.totals, row.header.sampleTypes.length);
      if (String(own) !== String(values))
        this.#say(`${name}: profile ${row.id} sums to ${String(own)}, not ${String(values)}`);
      return own;
    });
    for (const node of series.nodes()) {
      series.readNode(node, this.#vector);
      const types = sums[node.first]?.length ?? 0;
      const expected = Array.from({ length: types }, (_, t) =>
        sums.slice(node.first, node.first + node.count).reduce((sum, own) => sum + (own[t] ?? 0n), 0n),
      );
      const own = this.#sums(types);
      if (String(own) !== String(expected))
        this.#say(`${name}: a rollup sums to ${String(own)}, not ${String(expected)}`);
    }
    return rows.length;
  }

  #sums(types: number): bigint[] {
    const vector = this.#vector;
    const known = this.#part.leaves?.length ?? this.#part.dictionary.stacks.length;
    for (let i = 0; i < vector.rows; i++) if ((vector.stacks[i] ?? 0) >= known) this.#say('a sample has no stack');
    return Array.from({ length: types }, (_, t) => {
      let sum = 0n;
      for (let i = 0; i < vector.rows; i++) sum += vector.bigint(t, i);
      return sum;
    });
  }
}

/** A word of each row of a table, in each of its groups, must be below the length of another table. */
function* referenceProblems(dictionary: Dictionary): IterableIterator<string> {
  const { strings, functions, mappings, locations, labelSets, stacks } = dictionary;
  const refer = function* (
    name: string,
    table: WordTable,
    [head, group]: readonly [head: number, group: number],
    offsets: readonly number[],
    length: number,
  ) {
    for (let row = 1; row < table.length; row++) {
      for (let at = table.start(row) + head; at < table.end(row); at += group) {
        for (const offset of offsets) {
          if ((table.words[at + offset] ?? 0) >= length) yield `${name} ${row} refers to what is not there`;
        }
      }
    }
  };
  const { name, systemName, file } = functionWords;
  const { key, text, unit } = labelWords;
  yield* refer('function', functions, [0, functionWords.count], [name, systemName, file], strings.length);
  yield* refer('mapping', mappings, [0, mappingWords.count], [mappingWords.file, mappingWords.buildId], strings.length);
  yield* refer('location', locations, [0, 1_000_000_000], [locationWords.mapping], mappings.length);
  yield* refer('location', locations, [locationWords.count, lineWords.count], [lineWords.function], functions.length);
  yield* refer('label set', labelSets, [0, labelWords.count], [key, text, unit], strings.length);
  yield* refer('stack', stacks, [0, stackWords.count], [stackWords.location], locations.length);
}

const nothing: Part = { dictionary: new Dictionary(), leaves: null, series: [] };

function isMissing(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
