import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { Refused } from '../problem.ts';

/** Wrappings that are taken off: a gzipped file sent with Content-Encoding gzip may be wrapped twice. */
const maxLayers = 2;

/**
 * Takes off gzip and zstd, told by their magic numbers, which no pprof or write message can begin with. Stops as soon as
 * more than `limitBytes` came out, so a bomb costs the limit at most.
 *
 * @throws Refused 413 `too_large`, 400 `bad_compression`
 */
export function decompress(body: Uint8Array, limitBytes: number): Uint8Array {
  let bytes = body;
  for (let layer = 0; layer < maxLayers; layer++) {
    const codec = codecOf(bytes);
    if (codec === null) return bytes;
    try {
      const options = { maxOutputLength: limitBytes, chunkSize: chunkBytes(bytes, codec, limitBytes) };
      bytes = codec === 'gzip' ? gunzipSync(bytes, options) : zstdDecompressSync(bytes, options);
    } catch (error) {
      if (!(error instanceof Error) || !('code' in error)) throw error;
      if (error.code === 'ERR_BUFFER_TOO_LARGE') {
        throw new Refused(
          413,
          'too_large',
          `the body unpacks to more than ${limitBytes} bytes: send smaller profiles, or raise the server's limit on decompressed bytes`,
          'body',
        );
      }
      throw new Refused(
        400,
        'bad_compression',
        `the body is not whole ${codec}: ${error.message}; send it again`,
        'body',
      );
    }
  }
  return bytes;
}

/** Room for all that comes out at once, so that it need not be put together: gzip says its length, modulo 2^32, at its end. */
function chunkBytes(bytes: Uint8Array, codec: 'gzip' | 'zstd', limitBytes: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const said = codec === 'gzip' && bytes.length > 18 ? view.getUint32(bytes.length - 4, true) + 1 : 0;
  // What is said may be a lie: not more than a good compression ratio allows.
  return Math.max(64 * 1024, Math.min(said, bytes.length * 20, limitBytes));
}

function codecOf(bytes: Uint8Array): 'gzip' | 'zstd' | null {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return 'gzip';
  if (bytes[0] === 0x28 && bytes[1] === 0xb5 && bytes[2] === 0x2f && bytes[3] === 0xfd) return 'zstd';
  return null;
}
