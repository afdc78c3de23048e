import type { HeapMemory } from '../v8-heap.ts';

export const base = 0x7f00_0000_0000;

/** A small integer as V8 keeps it. */
export const smi = (value: number): number => value * 2 ** 32;

/** A heap that is drawn word by word, from `base` on. */
export class DrawnMemory implements HeapMemory {
  low = 0;
  high = 0;
  generation = 0;
  isGone = false;
  isExhausted = false;
  /** Of pages that were scanned and of words taken for maps. */
  readonly asked: number[] = [];
  readonly view = new DataView(new ArrayBuffer(64 * 1024));
  /** Pages that cannot be read now, by their starts. */
  readonly hidden = new Set<number>();

  load(address: number): boolean {
    const at = address - base;
    if (at < 0 || at + 8 > this.view.byteLength || this.#isHidden(address)) return false;
    this.low = this.view.getUint32(at, true);
    this.high = this.view.getUint32(at + 4, true);
    return true;
  }

  word(address: number): number | undefined {
    return this.load(address) ? this.high * 2 ** 32 + this.low : undefined;
  }

  uint16(address: number): number | undefined {
    this.asked.push(address);
    return this.bytes(address, 2)?.readUInt16LE(0);
  }

  int32(address: number): number | undefined {
    return this.bytes(address, 4)?.readInt32LE(0);
  }

  holds(address: number, bytes: Buffer): boolean {
    return this.bytes(address, bytes.length)?.equals(bytes) ?? false;
  }

  bytes(address: number, length: number): Buffer | undefined {
    if (length > 64) this.asked.push(address);
    const at = address - base;
    if (at < 0 || at + length > this.view.byteLength || this.#isHidden(address)) return undefined;
    return Buffer.copyBytesFrom(new Uint8Array(this.view.buffer, at, length));
  }

  put(address: number, word: number): void {
    this.view.setUint32(address - base, word % 2 ** 32, true);
    this.view.setUint32(address - base + 4, Math.floor(word / 2 ** 32), true);
  }

  #isHidden(address: number): boolean {
    return this.hidden.has(address - (address % 4096));
  }
}
