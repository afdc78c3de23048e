import { createGunzip, gunzipSync } from 'node:zlib';
import { discard } from '@everflame/profile';
import { Refused } from '../problem.ts';
import { isZstd, unpackZstd, unpackZstdPieces, ZstdFrameError } from './zstd.ts';

/** Wrappings that are taken off: a gzipped file sent with Content-Encoding gzip may be wrapped twice. */
const maxLayers = 2;
/** What unpacks to more than so many times its size may be a bomb. Profiles unpack to three to ten times theirs. */
const likelyRatio = 20;
/** Below the size from which malloc asks the kernel for new pages each time (`server-runtime.json`). */
const pieceBytes = 192 * 1024;
const leastRoomBytes = 64 * 1024;

type Codec = 'gzip' | 'zstd';

/**
 * Takes off gzip and zstd, told by their magic numbers, which no pprof or write message can begin with. What may be a bomb is
 * counted first, piece by piece, and no piece kept: it costs the time of unpacking `limitBytes`, and the memory of some pieces.
 *
 * @throws Refused 413 `too_large`, 400 `bad_compression`
 */
export async function decompress(body: Uint8Array, limitBytes: number): Promise<Uint8Array> {
  let bytes = body;
  for (let layer = 0; layer < maxLayers; layer++) {
    const codec = codecOf(bytes);
    if (codec === null) return bytes;
    try {
      bytes = unpackLikely(bytes, codec, limitBytes) ?? (await unpackCounted(bytes, codec, limitBytes));
    } catch (error) {
      if (!(error instanceof ZstdFrameError) && !isOfZlib(error)) throw error;
      const detail = `the body is not whole ${codec}: ${error.message}; send it again`;
      throw new Refused(400, 'bad_compression', detail, 'body');
    }
  }
  return bytes;
}

/** Null when it is more than profiles are, or more than the bytes themselves say. */
function unpackLikely(bytes: Uint8Array, codec: Codec, limitBytes: number): Uint8Array | null {
  const mostBytes = Math.min(bytes.length * likelyRatio, limitBytes);
  if (codec === 'zstd') return unpack(bytes, codec, mostBytes, pieceBytes);
  // Gzip says its length, modulo 2^32, at its end, of the last piece if there are several.
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const saidBytes = bytes.length < 18 ? 0 : view.getUint32(bytes.length - 4, true);
  return saidBytes > mostBytes ? null : unpack(bytes, codec, saidBytes, saidBytes);
}

async function unpackCounted(bytes: Uint8Array, codec: Codec, limitBytes: number): Promise<Uint8Array> {
  const pieces = codec === 'gzip' ? gunzipPieces(bytes) : unpackZstdPieces(bytes, pieceBytes);
  let length = 0;
  for await (const piece of pieces) {
    length += piece.length;
    // Nothing is written to a full piece any more; left to the collector they would be as many bytes as keeping them.
    if (piece.length === pieceBytes) discard(piece);
    if (length > limitBytes) throw tooLarge(limitBytes);
  }
  const unpacked = unpack(bytes, codec, length, length);
  if (unpacked === null) throw new Error(`${codec} unpacked to more than the ${length} bytes that were counted`);
  return unpacked;
}

/** Null when more than `maxBytes` come out. `roomBytes`: what fits in there need not be put together from pieces. */
function unpack(bytes: Uint8Array, codec: Codec, maxBytes: number, roomBytes: number): Uint8Array | null {
  // Zlib takes no limit of zero.
  const maxOutputLength = Math.max(1, maxBytes);
  // A smaller one would be a piece of a buffer that others have a piece of, too, and could not be discarded.
  const chunkSize = Math.max(leastRoomBytes, roomBytes + 1);
  try {
    const unpacked =
      codec === 'gzip'
        ? gunzipSync(bytes, { maxOutputLength, chunkSize })
        : unpackZstd(bytes, maxOutputLength, chunkSize);
    return unpacked.length > maxBytes ? null : unpacked;
  } catch (error) {
    if (isOfZlib(error) && error.code === 'ERR_BUFFER_TOO_LARGE') return null;
    throw error;
  }
}

function gunzipPieces(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  const stream = createGunzip({ chunkSize: pieceBytes });
  stream.end(bytes);
  return stream as AsyncIterable<Uint8Array>;
}

function isOfZlib(error: unknown): error is Error & { code: unknown } {
  return error instanceof Error && 'code' in error;
}

function tooLarge(limitBytes: number): Refused {
  const detail = `the body unpacks to more than ${limitBytes} bytes: send smaller profiles, or raise the server's limit on decompressed bytes`;
  return new Refused(413, 'too_large', detail, 'body');
}

function codecOf(bytes: Uint8Array): Codec | null {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return 'gzip';
  return isZstd(bytes) ? 'zstd' : null;
}
