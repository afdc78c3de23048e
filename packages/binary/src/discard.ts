/**
 * Gives back the memory of arrays that nobody uses any more. What lies behind a typed array is freed when V8 collects garbage, and V8 does that when
 * another 64 MB of it have come together; reading the symbols of a large file made 100 MB of them. The arrays are empty afterwards.
 */
export function discard(...arrays: readonly ArrayBufferView<ArrayBuffer>[]): void {
  for (const { buffer } of arrays) if (buffer.byteLength > 0) buffer.transfer(0);
}
