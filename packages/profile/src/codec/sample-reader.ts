import type { LabelSetTable, SampleTable, StackTable, ValueType } from '../profile.ts';
import { GrowableU32, GrowableU64, halvesOf } from '../tables/growable.ts';
import type { IdTable } from '../tables/id-table.ts';
import { PairTable } from '../tables/pair-table.ts';
import { SequenceTable } from '../tables/sequence-table.ts';
import { BYTES, VARINT, type WireReader } from '../wire/wire-reader.ts';
import type { DecodeLimits } from './decode-limits.ts';
import { labelSetColumns, stackColumns } from '../tables/columns.ts';
import type { FieldPath } from './field-path.ts';
import type { StringReader } from './string-reader.ts';

/** Reads the samples into columns, their stacks into a tree, their label sets interned. */
export class SampleReader {
  readonly #reader: WireReader;
  readonly #strings: StringReader;
  readonly #locationIds: IdTable;
  readonly #typeCount: number;
  readonly #countType: number;
  readonly #limits: DecodeLimits;
  readonly #path: FieldPath;

  readonly #stacks: PairTable;
  readonly #labelSets = new SequenceTable();
  readonly #values: GrowableU64;
  /** Locations of the current and the previous sample, leaf first, and the previous sample's stacks, root first. */
  #locations = new GrowableU32(64);
  #previous = new GrowableU32(64);
  readonly #previousStacks = new GrowableU32(64);
  /** Low and high half of the current label's fields, by field number. */
  readonly #labelHalves = new Uint32Array(5 * 2);

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
    // An id takes a byte or two, and half of the ids are in a part that stacks share: seldom too small, never large beside the input.
    this.#stacks = new PairTable(Math.min(sampleBytes >> 2, limits.maxStackNodes ?? Infinity));
    this.#stacks.intern(0, 0);
  }

  read(bounds: GrowableU32): {
    readonly stacks: StackTable;
    readonly labelSets: LabelSetTable;
    readonly samples: SampleTable;
  } {
    const reader = this.#reader;
    const length = bounds.length / 2;
    const stack = new Uint32Array(length);
    const labelSet = new Uint32Array(length);
    for (let i = 0; i < length; i++) {
      reader.position = bounds.at(i * 2);
      reader.end = bounds.at(i * 2 + 1);
      this.#path.enter('sample', i);
      labelSet[i] = this.#sample((i + 1) * this.#typeCount);
      stack[i] = this.#stack();
    }
    const values = this.#values.toSigned();
    const stacks = stackColumns(this.#stacks);
    this.#stacks.discard();
    this.#values.halves.discard();
    return {
      stacks,
      labelSets: labelSetColumns(this.#labelSets),
      samples: {
        length,
        stack,
        labelSet,
        values,
        count: sampleCounts(values, this.#typeCount, this.#countType, length),
      },
    };
  }

  /** Reads one sample's message; its locations are left in `#locations`. Answers the row of its label set. */
  #sample(valuesAfter: number): number {
    const reader = this.#reader;
    const labelSets = this.#labelSets;
    let labelCount = 0;
    this.#locations.length = 0;
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
          this.#label();
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
        reader.varint();
        this.#location();
      }
      reader.end = outerEnd;
    } else if (reader.wireType === VARINT) {
      reader.varint();
      this.#location();
    } else reader.failWireType();
  }

  #location(): void {
    const { low, high } = this.#reader;
    const row = this.#locationIds.row(low, high);
    if (row === 0) {
      const id = (BigInt(high) << 32n) | BigInt(low);
      this.#reader.fail('index_out_of_range', `there is no location with the id ${id}`);
    }
    if (this.#locations.length >= (this.#limits.maxStackDepth ?? Infinity)) {
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
  #label(): void {
    const reader = this.#reader;
    const halves = this.#labelHalves.fill(0);
    while (reader.next()) {
      const { field } = reader;
      if (field > 4) {
        reader.skip();
        continue;
      }
      reader.scalar();
      halves[field * 2] = reader.low;
      halves[field * 2 + 1] = reader.high;
    }
    // Looked up only now: of a field that occurs twice the last counts.
    this.#labelText(1);
    this.#labelText(2);
    this.#labelSets.put(halves[6] ?? 0);
    this.#labelSets.put(halves[7] ?? 0);
    this.#labelText(4);
  }

  #labelText(field: number): void {
    this.#reader.field = field;
    this.#labelSets.put(this.#strings.row(this.#labelHalves[field * 2] ?? 0, this.#labelHalves[field * 2 + 1] ?? 0));
  }

  /**
   * Interns the stack of `#locations`. Neighbouring samples often share their root: that part costs a comparison and no
   * hash look-up.
   */
  #stack(): number {
    const locations = this.#locations;
    const previous = this.#previous;
    const stacks = this.#previousStacks;
    const leafFirst = locations.data;
    const length = locations.length;
    let depth = 0;
    const shared = Math.min(length, previous.length);
    while (depth < shared && leafFirst[length - 1 - depth] === previous.data[previous.length - 1 - depth]) depth++;
    let stack = depth === 0 ? 0 : stacks.at(depth - 1);
    stacks.length = depth;
    for (; depth < length; depth++) {
      stack = this.#stacks.intern(stack, leafFirst[length - 1 - depth] ?? 0);
      stacks.push(stack);
    }
    const most = this.#limits.maxStackNodes ?? Infinity;
    // Row 0 stands for no stack.
    if (this.#stacks.length - 1 > most) {
      this.#reader.field = 1;
      this.#reader.fail('too_large', `the stacks up to this one have more than ${most} frames that they do not share`);
    }
    this.#locations = previous;
    this.#previous = locations;
    return stack;
  }
}

/** Which value of a sample says how many observations it stands for: type `samples` in `count`. -1 when none does. */
export function countTypeIndex(sampleTypes: readonly ValueType[]): number {
  return sampleTypes.findIndex((type) => type.type === 'samples' && type.unit === 'count');
}

function sampleCounts(values: BigInt64Array, typeCount: number, countType: number, length: number): Float64Array {
  const count = new Float64Array(length).fill(1);
  if (countType < 0) return count;
  const halves = halvesOf(values);
  for (let i = 0; i < length; i++) {
    const at = (i * typeCount + countType) * 2;
    // Beyond 2^53 the one rounding is that of `Number`: the low half is exact, and so is the product.
    count[i] = ((halves[at + 1] ?? 0) | 0) * 4_294_967_296 + (halves[at] ?? 0);
  }
  return count;
}
