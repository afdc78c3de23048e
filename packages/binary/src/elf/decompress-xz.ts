import type { BinaryResult } from '../binary-error.ts';

/**
 * Inflates an `.xz` file, never to more than `mostBytes`. By `xz-decompress` (xz-embedded as WebAssembly), which is loaded at the first call: few
 * machines have such sections. Errors: `malformed`, `too_large`.
 */
export async function decompressXz(bytes: Uint8Array, mostBytes: number): Promise<BinaryResult<Uint8Array>> {
  const { default: library } = await import('xz-decompress');
  const reader = new library.XzReadableStream(streamOf(bytes)).getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      length += value.length;
      if (length > mostBytes) {
        await reader.cancel();
        return { ok: false, error: { code: 'too_large', detail: `an xz stream of more than ${mostBytes} bytes` } };
      }
      if (value.length > 0) chunks.push(value);
    }
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return { ok: false, error: { code: 'malformed', detail: `an xz stream: ${error.message}` } };
  }
  return { ok: true, value: Buffer.concat(chunks, length) };
}

function streamOf(bytes: Uint8Array): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      controller.enqueue(bytes);
      controller.close();
    },
  });
}
