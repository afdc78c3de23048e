import type { PathProfile, Profile, SampleColumns, ValueType } from '../profile.ts';
import { GrowableU32, GrowableU64 } from '../tables/growable.ts';
import type { IdTable } from '../tables/id-table.ts';
import { Int64Column } from '../tables/int64-column.ts';
import { SequenceTable } from '../tables/sequence-table.ts';
import { BYTES, Scalars, VARINT, type WireReader } from '../wire/wire-reader.ts';
import type { DecodeLimits } from './decode-limits.ts';
import { labelSetColumns } from '../tables/columns.ts';
import type { FieldPath } from './field-path.ts';
import { StackTree } from './stack-tree.ts';
import type { StringReader } from './string-reader.ts';

type TreeSamples = Pick<Profile, 'stacks' | 'labelSets' | 'samples'>;
type PathSamples = Pick<PathProfile, 'paths' | 'labelSets' | 'samples'>;

const defaultMaxPathFrames = 2 ** 19;

/** Reads the samples into columns, their stacks as they are or into a tree, their label sets interned. */
export class SampleReader {
  readonly #reader: WireReader;
  readonly #strings: StringReader;
  readonly #locationIds: IdTable;
  readonly #typeCount: number;
  readonly #countType: number;
  readonly #limits: DecodeLimits;
  readonly #path: FieldPath;

  readonly #labelSets = new SequenceTable();
  readonly #values: GrowableU64;
  readonly #sampleBytes: number;
  /** Locations of the samples read so far, or of the current one when the others are in a tree; leaf first. */
  readonly #locations: GrowableU32;
  /** Where the current sample's locations begin. */
  #first = 0;
  /** Fields of the current label. */
  readonly #label = new Scalars();

  constructor(
    reader: WireReader,
    path: FieldPath,
    strings: StringReader,
    locationIds: IdTable,
    sampleTypes: readonly ValueType[],
    limits: DecodeLimits,
    sampleBytes: number,
  ) {
    this.#reader = reader;
    // Two values for 32 bytes of sample: seldom too small.
    this.#values = new GrowableU64(Math.max(16, Math.min(sampleBytes >> 4, 4096)));
    this.#strings = strings;
    this.#locationIds = locationIds;
    this.#typeCount = sampleTypes.length;
    this.#countType = countTypeIndex(sampleTypes);
    this.#limits = limits;
    this.#path = path;
    this.#sampleBytes = sampleBytes;
    // An id takes a byte or two: seldom too small.
    this.#locations = new GrowableU32(Math.max(64, Math.min(sampleBytes >> 1, 2 ** 15)));
  }

  /** `bounds`: start and end of each sample in the input. */
  readTree(bounds: GrowableU32): TreeSamples {
    const length = bounds.length / 2;
    const stack = new Uint32Array(length);
    return this.#treeFrom(bounds, 0, stack, new Uint32Array(length), this.#newTree());
  }

  /** Samples with more frames than are kept as they come become a tree after all. */
  readPaths(bounds: GrowableU32): TreeSamples | PathSamples {
    const { maxPathFrames = defaultMaxPathFrames } = this.#limits;
    const length = bounds.length / 2;
    const labelSet = new Uint32Array(length);
    const offset = new Uint32Array(length + 1);
    const locations = this.#locations;
    for (let i = 0; i < length; i++) {
      this.#first = locations.length;
      labelSet[i] = this.#sampleAt(bounds, i);
      offset[i + 1] = locations.length;
      if (locations.length > maxPathFrames) {
        const stack = new Uint32Array(length);
        const tree = this.#newTree();
        for (let read = 0; read <= i; read++) stack[read] = this.#addTo(tree, offset[read] ?? 0, offset[read + 1] ?? 0);
        return this.#treeFrom(bounds, i + 1, stack, labelSet, tree);
      }
    }
    const paths = { offset, location: locations.toArray() };
    locations.discard();
    return { paths, ...this.#columns(labelSet) };
  }

  /** Reads the samples from `next` on. */
  #treeFrom(
    bounds: GrowableU32,
    next: number,
    stack: Uint32Array,
    labelSet: Uint32Array,
    tree: StackTree,
  ): TreeSamples {
    this.#first = 0;
    for (let i = next; i < stack.length; i++) {
      this.#locations.length = 0;
      labelSet[i] = this.#sampleAt(bounds, i);
      stack[i] = this.#addTo(tree, 0, this.#locations.length);
    }
    this.#locations.discard();
    const { labelSets, samples } = this.#columns(labelSet);
    return { stacks: tree.finish(), labelSets, samples: { ...samples, stack } };
  }

  /** Half of the ids are in a part that stacks share: seldom too small, never large beside the input. */
  #newTree(): StackTree {
    return new StackTree(Math.min(this.#sampleBytes >> 2, this.#limits.maxStackNodes ?? Infinity));
  }

  #addTo(tree: StackTree, from: number, end: number): number {
    const row = tree.add(this.#locations.data, from, end);
    const most = this.#limits.maxStackNodes ?? Infinity;
    // Row 0 stands for no stack.
    if (tree.length - 1 > most) {
      this.#reader.field = 1;
      this.#reader.fail('too_large', `the stacks up to this one have more than ${most} frames that they do not share`);
    }
    return row;
  }

  #columns(labelSet: Uint32Array): { readonly labelSets: Profile['labelSets']; readonly samples: SampleColumns } {
    const { length } = labelSet;
    const values = this.#values.toSigned();
    this.#values.halves.discard();
    const count = sampleCounts(values, this.#typeCount, this.#countType, length);
    return { labelSets: labelSetColumns(this.#labelSets), samples: { length, labelSet, values, count } };
  }

  /** Reads sample `i`; its locations are added to `#locations`. Answers the row of its label set. */
  #sampleAt(bounds: GrowableU32, i: number): number {
    this.#reader.position = bounds.at(i * 2);
    this.#reader.end = bounds.at(i * 2 + 1);
    this.#path.enter('sample', i);
    return this.#sample((i + 1) * this.#typeCount);
  }

  #sample(valuesAfter: number): number {
    const reader = this.#reader;
    const labelSets = this.#labelSets;
    let labelCount = 0;
    labelSets.begin();
    while (reader.next()) {
      switch (reader.field) {
        case 1:
          this.#locationIdsOf();
          break;
        case 2:
          this.#valuesOf(valuesAfter);
          break;
        case 3: {
          if (labelCount >= (this.#limits.maxLabelsPerSample ?? Infinity)) {
            reader.fail('too_large', `there are more than ${this.#limits.maxLabelsPerSample}`);
          }
          const outerEnd = reader.end;
          reader.end = reader.delimited();
          this.#path.enterInner('label', labelCount++);
          this.#readLabel();
          this.#path.leaveInner();
          reader.end = outerEnd;
          break;
        }
        default:
          reader.skip();
      }
    }
    if (this.#values.length !== valuesAfter) {
      reader.field = 2;
      const found = this.#values.length - (valuesAfter - this.#typeCount);
      reader.fail('value_count', `${found} values for ${this.#typeCount} sample types`);
    }
    return labelCount === 0 ? 0 : labelSets.intern();
  }

  #locationIdsOf(): void {
    const reader = this.#reader;
    if (reader.wireType === BYTES) {
      const outerEnd = reader.end;
      reader.end = reader.delimited();
      while (reader.position < reader.end) {
        this.#smallIds();
        if (reader.position === reader.end) break;
        reader.varint();
        this.#location();
      }
      reader.end = outerEnd;
    } else if (reader.wireType === VARINT) {
      reader.varint();
      this.#location();
    } else reader.failWireType();
  }

  /** Reads packed ids as long as they are below 2^14 and those of locations, as nearly all are. */
  #smallIds(): void {
    const reader = this.#reader;
    const { bytes, end } = reader;
    const ids = this.#locationIds;
    const locations = this.#locations;
    let at = reader.position;
    const most = this.#first + (this.#limits.maxStackDepth ?? Infinity);
    while (at < end) {
      let id = bytes[at] ?? 0;
      let next = at + 1;
      if (id >= 0x80) {
        const second = bytes[next++] ?? 0;
        if (second >= 0x80 || next > end) break;
        id = (id & 0x7f) | (second << 7);
      }
      const row = ids.row(id, 0);
      if (row === 0 || locations.length >= most) break;
      locations.push(row);
      at = next;
    }
    reader.position = at;
  }

  #location(): void {
    const { low, high } = this.#reader;
    const row = this.#locationIds.row(low, high);
    if (row === 0) {
      const id = (BigInt(high) << 32n) | BigInt(low);
      this.#reader.fail('index_out_of_range', `there is no location with the id ${id}`);
    }
    if (this.#locations.length - this.#first >= (this.#limits.maxStackDepth ?? Infinity)) {
      this.#reader.fail('too_large', `the stack is deeper than ${this.#limits.maxStackDepth}`);
    }
    this.#locations.push(row);
  }

  #valuesOf(valuesAfter: number): void {
    const reader = this.#reader;
    if (reader.wireType === BYTES) {
      const outerEnd = reader.end;
      reader.end = reader.delimited();
      while (reader.position < reader.end) {
        reader.varint();
        this.#value(valuesAfter);
      }
      reader.end = outerEnd;
    } else if (reader.wireType === VARINT) {
      reader.varint();
      this.#value(valuesAfter);
    } else reader.failWireType();
  }

  #value(valuesAfter: number): void {
    if (this.#values.length >= valuesAfter) {
      this.#reader.fail('value_count', `more values than the ${this.#typeCount} sample types`);
    }
    this.#values.push(this.#reader.low, this.#reader.high);
  }

  /** Puts key, text, number (two halves) and unit of one label. */
  #readLabel(): void {
    const { low, high } = this.#label;
    this.#reader.scalars(this.#label, 4);
    this.#labelText(1);
    this.#labelText(2);
    this.#labelSets.put(low[3] ?? 0);
    this.#labelSets.put(high[3] ?? 0);
    this.#labelText(4);
  }

  #labelText(field: number): void {
    this.#reader.field = field;
    this.#labelSets.put(this.#strings.row(this.#label.low[field] ?? 0, this.#label.high[field] ?? 0));
  }
}

/** Which value of a sample says how many observations it stands for: type `samples` in `count`. -1 when none does. */
export function countTypeIndex(sampleTypes: readonly ValueType[]): number {
  return sampleTypes.findIndex((type) => type.type === 'samples' && type.unit === 'count');
}

function sampleCounts(values: BigInt64Array, typeCount: number, countType: number, length: number): Float64Array {
  const count = new Float64Array(length).fill(1);
  if (countType < 0) return count;
  const numbers = new Int64Column(values);
  for (let i = 0; i < length; i++) count[i] = numbers.number(i * typeCount + countType);
  return count;
}
