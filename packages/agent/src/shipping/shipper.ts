/** One profile on its way: the labels of its series and an uncompressed pprof message. */
export interface OutgoingProfile {
  /** With `__name__`. */
  readonly labels: Readonly<Record<string, string>>;
  readonly pprof: Uint8Array;
}

/**
 * Takes what an interval produced and gets it to the server: each batch exactly once, in order, over restarts of either side.
 */
export interface Shipper {
  /**
   * Resolves when the batch is safe on disk (not yet sent). A disk that cannot be written is a loss like others: counted
   * under `batches_dropped`/`disk`, logged, and no reason to reject.
   */
  enqueue(profiles: readonly OutgoingProfile[]): Promise<void>;
  /** Sends what is queued until it is empty or `deadlineMs` from now has passed; what is left stays on disk. */
  drain(deadlineMs: number): Promise<void>;
  /** What is being sent is broken off and stays on disk. */
  close(): Promise<void>;
}
