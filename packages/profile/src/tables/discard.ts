/** Smaller ones are left to the collector: to give one back costs about half a microsecond. */
const leastBytes = 1024;

/**
 * Gives back the memory of arrays that nobody uses any more. It lies outside of JavaScript's heap, and is freed when V8 collects garbage; reading one profile
 * makes two megabytes of it, so that V8 would collect every few profiles. The arrays are empty afterwards.
 */
export function discard(...arrays: readonly ArrayBufferView[]): void {
  for (const { buffer } of arrays)
    if (buffer instanceof ArrayBuffer && buffer.byteLength >= leastBytes) buffer.transfer(0);
}
