import { wordIn } from '../../process-memory.ts';
import type { PythonTextLayout } from '../python-text.ts';

/** Grows when it is full: tests make thousands. */
const firstBytes = 1 << 14;
const mostBytes = 1 << 20;
/** Address of the first byte. */
const base = 0x7f00_0000_0000;

/** Memory of a process in which objects of CPython's are laid out one after the other. */
export class PlantedMemory {
  readonly isGone = false;
  /** Bytes that were asked for. */
  asked = 0;
  #bytes = Buffer.alloc(firstBytes);
  #end = 64;
  readonly #types = new Map<string, number>();

  bytes(address: number, length: number): Buffer | undefined {
    this.asked += length;
    const at = address - base;
    if (!(at >= 0 && length >= 0 && at + length <= this.#end)) return undefined;
    return Buffer.from(this.#bytes.subarray(at, at + length));
  }

  word(address: number): number | undefined {
    const bytes = this.bytes(address, 8);
    return bytes === undefined ? undefined : wordIn(bytes, 0);
  }

  setWord(address: number, value: number): void {
    this.#bytes.writeUInt32LE(value % 2 ** 32, address - base);
    this.#bytes.writeUInt32LE(Math.floor(value / 2 ** 32), address - base + 4);
  }

  setByte(address: number, value: number): void {
    this.#bytes[address - base] = value;
  }

  /** Zeros; answers their address, a multiple of 8. */
  allocate(length: number): number {
    const at = this.#end;
    this.#end += Math.ceil(length / 8) * 8;
    if (this.#end > mostBytes) throw new Error('the planted memory is full');
    if (this.#end > this.#bytes.length) {
      const more = Buffer.alloc(Math.max(2 * this.#bytes.length, 2 ** Math.ceil(Math.log2(this.#end))));
      this.#bytes.copy(more);
      this.#bytes = more;
    }
    return base + at;
  }

  /** The type object of that name. */
  type(name: string): number {
    let type = this.#types.get(name);
    if (type === undefined) {
      const text = this.allocate(8);
      Buffer.from(name).copy(this.#bytes, text - base);
      type = this.allocate(32);
      this.setWord(type + 24, text);
      this.#types.set(name, type);
    }
    return type;
  }

  /** A compact str. */
  text(layout: PythonTextLayout, text: string): number {
    const points = Array.from(text, (each) => each.codePointAt(0) ?? 0);
    const largest = Math.max(0, ...points);
    const width = largest < 256 ? 1 : largest < 65_536 ? 2 : 4;
    const isAscii = largest < 128;
    const header = isAscii ? layout.ascii : layout.compact;
    const object = this.allocate(header + (points.length + 1) * width);
    this.setWord(object + 8, this.type('str'));
    this.setWord(object + layout.length, points.length);
    this.setWord(object + layout.state, (width << 2) | (1 << 5) | (isAscii ? 1 << 6 : 0));
    for (const [i, point] of points.entries()) {
      this.#bytes.writeUIntLE(point, object + header + i * width - base, width);
    }
    return object;
  }

  /** A bytes object. */
  data(content: Uint8Array): number {
    const object = this.allocate(32 + content.length + 1);
    this.setWord(object + 8, this.type('bytes'));
    this.setWord(object + 16, content.length);
    Buffer.from(content).copy(this.#bytes, object + 32 - base);
    return object;
  }
}
