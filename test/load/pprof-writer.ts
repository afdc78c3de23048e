import { KERNEL, LIBC, OWN, type ServiceModel } from './service-model.ts';
import { varint64Bytes, varintBytes, WireBytes } from './wire-bytes.ts';

/** One binary as it is loaded. */
export interface Binary {
  readonly file: string;
  readonly buildId: string;
  /** Low and high half of the address where it begins. */
  readonly start: number;
  readonly startHigh: number;
  readonly bytes: number;
}

/** What a profile holds: rows of (stack, thread) with how often each was seen. The columns may be longer than `length`. */
export interface DrawnSamples {
  readonly length: number;
  readonly stack: Uint32Array;
  readonly count: Uint32Array;
  /** Number of a thread, from 1; 0: no labels. */
  readonly thread: Uint8Array;
}

const noBytes = new Uint8Array();
const utf8 = new TextEncoder();

/** 1e9 ns ÷ 99, rounded. */
export const PERIOD_NS = 10_101_010;
/** The first strings of every profile, by their indexes. */
const firstStrings = ['', 'samples', 'count', 'cpu', 'nanoseconds', 'thread_name'].map((text) => stringField(text));
const THREAD_NAME = 5;

/**
 * Writes pprof messages of one version of a service. Names are encoded once, a profile copies what it uses: about half a
 * millisecond for 600 samples of 25 frames. Ids and strings are dense and in the order of their first use, as encoders
 * make them.
 */
export class PprofWriter {
  readonly #model: ServiceModel;
  readonly #binaries: readonly Binary[];
  readonly #wire = new WireBytes();
  readonly #names: readonly Uint8Array[];
  readonly #files: readonly Uint8Array[];
  readonly #threads: readonly Uint8Array[];
  readonly #binaryStrings: readonly Uint8Array[];
  /** Which file each function is in. */
  readonly #fileOf: Uint16Array;
  /** Ids of this profile by row of the model; 0: not used. And the rows used, in the order of their ids. */
  readonly #locationId: Uint16Array;
  readonly #functionId: Uint16Array;
  readonly #fileString: Uint16Array;
  readonly #usedLocations: Uint16Array;
  readonly #usedFunctions: Uint16Array;
  #functionCount = 0;

  /** `binaries` by the rows `OWN`, `LIBC` and `KERNEL`. */
  constructor(model: ServiceModel, binaries: readonly Binary[]) {
    this.#model = model;
    this.#binaries = binaries;
    this.#names = model.functions.map(({ name }) => stringField(name));
    this.#threads = Array.from({ length: 256 }, (_, thread) => stringField(`worker-${thread}`));
    this.#binaryStrings = binaries.flatMap(({ file, buildId }) => [stringField(file), stringField(buildId)]);
    const files = new Map<string, number>();
    this.#fileOf = Uint16Array.from(model.functions, ({ file }) => {
      const row = files.get(file) ?? files.size;
      files.set(file, row);
      return row;
    });
    this.#files = [...files.keys()].map((file) => stringField(file));
    this.#locationId = new Uint16Array(model.locationFunction.length);
    this.#usedLocations = new Uint16Array(model.locationFunction.length);
    this.#functionId = new Uint16Array(model.functions.length);
    this.#usedFunctions = new Uint16Array(model.functions.length);
    this.#fileString = new Uint16Array(files.size);
  }

  /** One uncompressed message of ten seconds from `timeMs` on. The bytes are valid until the next call. */
  write(samples: DrawnSamples, timeMs: number): Uint8Array {
    const wire = this.#wire;
    wire.clear();
    wire.reserve(4096);
    this.#locationId.fill(0);
    this.#functionId.fill(0);
    this.#fileString.fill(0);
    this.#functionCount = 0;
    this.#valueType(1, 1, 2);
    this.#valueType(1, 3, 4);
    const locations = this.#samples(samples);
    let threads = 0;
    for (let i = 0; i < samples.length; i++) threads = Math.max(threads, samples.thread[i] ?? 0);
    const firstBinary = firstStrings.length + threads;
    const firstName = firstBinary + this.#binaries.length * 2;
    for (const [row, binary] of this.#binaries.entries()) this.#mapping(row, binary, firstBinary + row * 2);
    for (let id = 1; id <= locations; id++) this.#location(id, this.#usedLocations[id - 1] ?? 0);
    const files = this.#writeFunctions(firstName);
    for (const text of firstStrings) this.#string(text);
    for (let thread = 1; thread <= threads; thread++) this.#string(this.#threads[thread]);
    for (const text of this.#binaryStrings) this.#string(text);
    for (let i = 0; i < this.#functionCount; i++) this.#string(this.#names[this.#usedFunctions[i] ?? 0]);
    for (const file of files) this.#string(this.#files[file]);
    wire.reserve(64);
    wire.varint(9 << 3);
    wire.wide(timeMs * 1e6);
    wire.varint(10 << 3);
    wire.wide(1e10);
    this.#valueType(11, 3, 4);
    this.#field(12, PERIOD_NS);
    return wire.written();
  }

  /** Writes the samples and answers how many locations they use. */
  #samples({ length, stack, count, thread }: DrawnSamples): number {
    const { stackOffset, stackLocations } = this.#model;
    const wire = this.#wire;
    const ids = this.#locationId;
    let locations = 0;
    for (let i = 0; i < length; i++) {
      const row = stack[i] ?? 0;
      const first = stackOffset[row] ?? 0;
      const end = stackOffset[row + 1] ?? 0;
      let idBytes = 0;
      for (let at = first; at < end; at++) {
        const location = stackLocations[at] ?? 0;
        let id = ids[location] ?? 0;
        if (id === 0) {
          this.#usedLocations[locations++] = location;
          id = locations;
          ids[location] = id;
        }
        idBytes += varintBytes(id);
      }
      const seen = count[i] ?? 0;
      const nanoseconds = seen * PERIOD_NS;
      const high = Math.floor(nanoseconds / 2 ** 32);
      const valueBytes = varintBytes(seen) + varint64Bytes(nanoseconds >>> 0, high);
      const ofThread = thread[i] ?? 0;
      const text = THREAD_NAME + ofThread;
      const labelBytes = 3 + varintBytes(text);
      const allLabelBytes = ofThread === 0 ? 0 : 2 + labelBytes;
      wire.reserve(64 + idBytes);
      this.#begin(2, 1 + varintBytes(idBytes) + idBytes + 2 + valueBytes + allLabelBytes);
      this.#begin(1, idBytes);
      for (let at = first; at < end; at++) wire.varint(ids[stackLocations[at] ?? 0] ?? 0);
      this.#begin(2, valueBytes);
      wire.varint(seen);
      wire.varint64(nanoseconds >>> 0, high);
      if (ofThread === 0) continue;
      this.#begin(3, labelBytes);
      this.#field(1, THREAD_NAME);
      this.#field(2, text);
    }
    return locations;
  }

  #mapping(row: number, { start, startHigh, bytes }: Binary, string: number): void {
    const wire = this.#wire;
    const limit = start + bytes;
    // has_functions; has_filenames and has_line_numbers but for the kernel; has_inline_frames of the service alone.
    const flags = row === KERNEL ? [7] : row === LIBC ? [7, 8, 9] : [7, 8, 9, 10];
    const addressBytes = varint64Bytes(start, startHigh) + varint64Bytes(limit, startHigh);
    this.#begin(3, 2 + 2 + addressBytes + 2 + varintBytes(string) + varintBytes(string + 1) + flags.length * 2);
    this.#field(1, row + 1);
    wire.varint(2 << 3);
    wire.varint64(start, startHigh);
    wire.varint(3 << 3);
    wire.varint64(limit, startHigh);
    this.#field(5, string);
    this.#field(6, string + 1);
    for (const flag of flags) this.#field(flag, 1);
  }

  #location(id: number, row: number): void {
    const model = this.#model;
    const wire = this.#wire;
    const caller = model.locationFunction[row] ?? 0;
    const inlined = model.locationInlined[row] ?? 0;
    const mapping = model.functionMapping[caller] ?? OWN;
    const { start = 0, startHigh = 0 } = this.#binaries[mapping] ?? {};
    const address = start + (model.locationOffset[row] ?? 0);
    const line = model.locationLine[row] ?? 1;
    const inner = inlined === 0 ? 0 : this.#function(inlined - 1);
    const outer = this.#function(caller);
    const lineBytes = 2 + varintBytes(line);
    const innerBytes = inner === 0 ? 0 : 2 + lineBytes + varintBytes(inner);
    const outerBytes = 2 + lineBytes + varintBytes(outer);
    wire.reserve(64);
    this.#begin(4, 1 + varintBytes(id) + 2 + 1 + varint64Bytes(address, startHigh) + innerBytes + outerBytes);
    this.#field(1, id);
    this.#field(2, mapping + 1);
    wire.varint(3 << 3);
    wire.varint64(address, startHigh);
    if (inner !== 0) this.#line(inner, line);
    this.#line(outer, line);
  }

  #line(id: number, line: number): void {
    this.#begin(4, 2 + varintBytes(id) + varintBytes(line));
    this.#field(1, id);
    this.#field(2, line);
  }

  /** The id of a function of the model. */
  #function(row: number): number {
    const known = this.#functionId[row] ?? 0;
    if (known !== 0) return known;
    this.#usedFunctions[this.#functionCount++] = row;
    this.#functionId[row] = this.#functionCount;
    return this.#functionCount;
  }

  /** Writes the functions that were used; their names are strings from `firstName` on, their files come behind. */
  #writeFunctions(firstName: number): number[] {
    const files: number[] = [];
    const firstFile = firstName + this.#functionCount;
    for (let i = 0; i < this.#functionCount; i++) {
      const file = this.#fileOf[this.#usedFunctions[i] ?? 0] ?? 0;
      if (this.#fileString[file] === 0) this.#fileString[file] = firstFile + files.push(file) - 1;
      const fileString = this.#fileString[file] ?? 0;
      const name = firstName + i;
      this.#wire.reserve(32);
      this.#begin(5, 4 + varintBytes(i + 1) + 2 * varintBytes(name) + varintBytes(fileString));
      this.#field(1, i + 1);
      this.#field(2, name);
      this.#field(3, name);
      this.#field(4, fileString);
    }
    return files;
  }

  #valueType(field: number, type: number, unit: number): void {
    this.#begin(field, 4);
    this.#field(1, type);
    this.#field(2, unit);
  }

  #string(field: Uint8Array = noBytes): void {
    this.#wire.reserve(field.length);
    this.#wire.bytes(field);
  }

  #field(field: number, value: number): void {
    this.#wire.varint(field << 3);
    this.#wire.varint(value);
  }

  #begin(field: number, byteCount: number): void {
    this.#wire.varint((field << 3) | 2);
    this.#wire.varint(byteCount);
  }
}

/** The text as a field `string_table` (6). */
function stringField(text: string): Uint8Array {
  const content = utf8.encode(text);
  const field = new Uint8Array(1 + varintBytes(content.length) + content.length);
  const wire = new WireBytes(field);
  wire.varint((6 << 3) | 2);
  wire.varint(content.length);
  wire.bytes(content);
  return field;
}
