import { statSync } from 'node:fs';
import { StorageError } from '../storage.ts';
import { type BlockFact, blockPath, blocksOf, listedBlocks } from './block/block.ts';
import { DamagedBlock } from './block/block-file.ts';
import { countsProblems } from './counts/counts-problems.ts';
import { checkTables, explained, isDamage, isSqliteError, openForReading } from './database.ts';
import {
  type Dictionary,
  functionWords,
  labelWords,
  lineWords,
  locationWords,
  mappingWords,
  stackWords,
} from './dictionary.ts';
import { Epoch, epochsOf } from './epoch-part.ts';
import type { Part, PartSeries } from './part.ts';
import { openBlock } from './sources.ts';
import { decodeTotals } from './vector.ts';
import { Vector } from './vector-scratch.ts';
import type { StackTable } from './stack-table.ts';
import type { WordTable } from './word-table.ts';
import { logDamage } from './write-ahead-log.ts';

export interface VerifyReport {
  readonly blocks: number;
  readonly profiles: number;
  /** What is wrong, one line each; empty when all is well. */
  readonly problems: readonly string[];
}

/**
 * Reads everything in a store: checksums, references into dictionaries, each profile's sums against its totals, each rollup
 * against what it sums, the kept counts by function against what they sum, the list of blocks against the blocks. A server may run meanwhile.
 *
 * @throws StorageError when the data base cannot be opened
 */
export function verifyStore(dataDir: string): VerifyReport {
  const problems: string[] = [];
  // Before SQLite forgets what stands behind the damage. A server that writes meanwhile completes what is not whole now.
  const damage = logDamage(dataDir);
  if (damage !== null && logDamage(dataDir)?.message === damage.message) problems.push(damage.message);
  const db = openForReading(dataDir);
  let profiles = 0;
  /** Answers whether all was well. */
  const check = (where: string, action: () => void): boolean => {
    const before = problems.length;
    try {
      action();
    } catch (error) {
      problems.push(`${where}: ${problemOf(dataDir, error)}`);
    }
    return problems.length === before;
  };
  const checkPart = (where: string, part: () => Part) =>
    check(where, () => {
      profiles += new PartCheck(part(), (problem) => problems.push(`${where}: ${problem}`)).run();
    });
  let blocks: readonly BlockFact[] = [];
  try {
    const isSound = check('everflame.db', () => {
      const answer = db.pragma('quick_check', { simple: true });
      if (answer !== 'ok') problems.push(`everflame.db: ${String(answer)}`);
    });
    check('everflame.db, tables', () => checkTables(db));
    check('everflame.db, list of blocks', () => {
      blocks = listedBlocks(db);
      blocksOf(db);
    });
    for (const fact of blocks) {
      const before = profiles;
      const isRead = verifyBlock(dataDir, fact, check, checkPart);
      if (isRead && profiles - before !== fact.profiles) {
        problems.push(`${fact.id}.block: ${profiles - before} profiles instead of ${fact.profiles}`);
      }
    }
    check('everflame.db', () => {
      const before = profiles;
      let areRead = isSound;
      for (const epoch of epochsOf(db)) {
        const isRead = checkPart(`everflame.db, epoch ${epoch}`, () => new Epoch(db, epoch).part());
        areRead = areRead && isRead;
      }
      const rows = Number(db.prepare('SELECT count(*) FROM profile').pluck().get());
      if (areRead && profiles - before !== rows)
        problems.push(`everflame.db: ${rows - profiles + before} of ${rows} profiles are of no series`);
    });
    check('everflame.db, agents', () => {
      for (const text of db.prepare('SELECT report FROM agent').pluck().iterate()) JSON.parse(String(text));
    });
    return { blocks: blocks.length, profiles, problems };
  } finally {
    db.close();
  }
}

/** What is wrong with what was read, in words; what is no fault of it is thrown again. */
function problemOf(dataDir: string, error: unknown): string {
  if (
    error instanceof DamagedBlock ||
    error instanceof RangeError ||
    error instanceof SyntaxError ||
    error instanceof TypeError ||
    isMissing(error)
  )
    return error.message;
  if (error instanceof StorageError && error.cause instanceof Error) return error.cause.message;
  return explained(dataDir, () => {
    if (isSqliteError(error) && isDamage(error, error.code)) return `${error.message} (${error.code})`;
    throw error;
  });
}

function verifyBlock(
  dataDir: string,
  { id, ...fact }: BlockFact,
  check: (where: string, action: () => void) => boolean,
  checkPart: (where: string, part: () => Part) => boolean,
): boolean {
  const where = `${id}.block`;
  const opened: ReturnType<typeof openBlock>[] = [];
  const isOpen = check(where, () => void opened.push(openBlock(dataDir, id)));
  let isSound = isOpen;
  for (const block of opened) {
    for (const group of block.groups) {
      const isRead = checkPart(`${where}, service "${group.service}"`, () => block.part(group));
      isSound = isSound && isRead;
    }
    isSound =
      isSound &&
      check(where, () => {
        const { groups } = block;
        const series = groups.flatMap((group) => block.part(group).series);
        const found = {
          fromMs: Math.min(...series.map(({ firstMs }) => firstMs)),
          untilMs: Math.max(...series.map(({ lastMs }) => lastMs)) + 1,
          endMs: Math.max(...series.map(({ endMs }) => endMs)),
          samples: series.reduce((sum, { samples }) => sum + samples, 0),
          bytes: statSync(blockPath(dataDir, id)).size,
        };
        for (const [name, value] of Object.entries(found)) {
          const listed = fact[name as keyof typeof found];
          if (listed !== value) throw new RangeError(`the list of blocks has ${name} ${listed} instead of ${value}`);
        }
      });
    block.close();
  }
  return isSound;
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
    table: WordTable | StackTable,
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

function isMissing(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
