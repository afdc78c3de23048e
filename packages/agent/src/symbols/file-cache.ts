interface Held {
  readonly byteLength: number;
  close(): void;
}

interface File<T> {
  readonly identity: string;
  readonly value: T;
  readonly keys: Set<string>;
}

/**
 * What was read of files, least recently used out first when it is more than a budget. A file that is asked for under several keys, by inode since a
 * scan of /proc saw it and by build ID since the kernel told of it, is kept once.
 */
export class FileCache<T extends Held> {
  readonly #budget: number;
  /** By what tells that files are the same. */
  readonly #files = new Map<string, File<T>>();
  readonly #byKey = new Map<string, File<T>>();
  #evicted: string[] = [];

  constructor(budget: number) {
    this.#budget = budget;
  }

  get size(): number {
    return this.#files.size;
  }

  get byteLength(): number {
    let total = 0;
    for (const { value } of this.#files.values()) total += value.byteLength;
    return total;
  }

  /** Keys evicted since the last call. */
  takeEvicted(): readonly string[] {
    const evicted = this.#evicted;
    this.#evicted = [];
    return evicted;
  }

  /** What a file gave that was asked for under another key, maybe. */
  same(identity: string): T | undefined {
    return this.#files.get(identity)?.value;
  }

  /** What `key` stands for, which counts as a use. */
  use(key: string): T | undefined {
    const file = this.#byKey.get(key);
    if (file === undefined) return undefined;
    this.#files.delete(file.identity);
    this.#files.set(file.identity, file);
    return file.value;
  }

  /** `key` stands for `value` from here on, which is closed when nothing stands for it any more. Others make room. */
  keep(key: string, identity: string, value: T): void {
    if (this.#byKey.get(key)?.identity !== identity) this.forget(key);
    const known = this.#files.get(identity);
    if (known !== undefined && known.value !== value) known.value.close();
    const file = { identity, value, keys: new Set(known?.keys).add(key) };
    this.#files.delete(identity);
    this.#files.set(identity, file);
    for (const each of file.keys) this.#byKey.set(each, file);
    this.makeRoom();
  }

  /** Nothing is to be had under `key` any more. */
  forget(key: string): void {
    const file = this.#byKey.get(key);
    if (file === undefined) return;
    this.#byKey.delete(key);
    file.keys.delete(key);
    if (file.keys.size > 0) return;
    this.#files.delete(file.identity);
    file.value.close();
  }

  /** To be called when a value has grown. The one that was used last stays. */
  makeRoom(): void {
    let bytes = this.byteLength;
    for (const [identity, { value, keys }] of this.#files) {
      if (bytes <= this.#budget || this.#files.size === 1) return;
      bytes -= value.byteLength;
      this.#files.delete(identity);
      for (const key of keys) this.#byKey.delete(key);
      this.#evicted.push(...keys);
      value.close();
    }
  }
}
