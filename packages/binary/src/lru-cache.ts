/** Values with a cost in bytes; the least recently used go when there are more bytes than the budget. The newest stays however large it is. */
export class LruCache<K, V> {
  readonly budgetBytes: number;
  byteLength = 0;
  readonly #entries = new Map<K, { readonly value: V; readonly cost: number }>();
  readonly #dropped: ((value: V) => void) | undefined;

  /** `dropped` is told of each value that goes. */
  constructor(budgetBytes: number, dropped?: (value: V) => void) {
    this.budgetBytes = budgetBytes;
    this.#dropped = dropped;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: K): V | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.value;
  }

  set(key: K, value: V, cost: number): void {
    this.#drop(key);
    this.#entries.set(key, { value, cost });
    this.byteLength += cost;
    for (const oldest of this.#entries.keys()) {
      if (this.byteLength <= this.budgetBytes || this.#entries.size === 1) break;
      this.#drop(oldest);
    }
  }

  #drop(key: K): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.byteLength -= entry.cost;
    this.#dropped?.(entry.value);
  }
}
