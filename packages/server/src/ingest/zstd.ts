import { createZstdDecompress, zstdDecompressSync } from 'node:zlib';
import { joinBytes } from '@everflame/profile';

/** Frames in one body: tools write one, or one for each thread. Every frame costs some microseconds, and an empty one has nine bytes. */
const maxFrames = 1024;

export class ZstdFrameError extends Error {
  override readonly name = 'ZstdFrameError';
}

/**
 * All frames, one after the other, in memory that nothing else is in. Node.js's zlib unpacks the first, and drops what follows without a word.
 *
 * @param chunkSize bytes for what comes out of a frame: what fits need not be put together from pieces
 * @throws ZstdFrameError, and what zlib throws: `ERR_BUFFER_TOO_LARGE` above `maxOutputLength` bytes
 */
export function unpackZstd(bytes: Uint8Array, maxOutputLength: number, chunkSize = 65_536): Uint8Array {
  const unpacked: Uint8Array[] = [];
  let [at, length] = [0, 0];
  do {
    const options = { maxOutputLength: Math.max(1, maxOutputLength - length), chunkSize, info: true };
    // What `info` changes the answer into is not in its type.
    const { buffer, engine } = zstdDecompressSync(frameAt(bytes, at, unpacked.length), options) as unknown as {
      buffer: Uint8Array;
      engine: { bytesWritten: number };
    };
    unpacked.push(buffer);
    length += buffer.length;
    at += engine.bytesWritten;
  } while (at < bytes.length);
  const [first] = unpacked;
  return unpacked.length === 1 && first !== undefined ? first : joinBytes(unpacked);
}

/**
 * What the frames unpack to, in pieces of which none is kept.
 *
 * @throws ZstdFrameError, and what zlib throws
 */
export async function* unpackZstdPieces(bytes: Uint8Array, pieceBytes: number): AsyncGenerator<Uint8Array> {
  let [at, frames] = [0, 0];
  do {
    const stream = createZstdDecompress({ chunkSize: pieceBytes });
    stream.end(frameAt(bytes, at, frames++));
    yield* stream as AsyncIterable<Uint8Array>;
    at += stream.bytesWritten;
  } while (at < bytes.length);
}

export function isZstd(bytes: Uint8Array): boolean {
  return bytes[0] === 0x28 && bytes[1] === 0xb5 && bytes[2] === 0x2f && bytes[3] === 0xfd;
}

function frameAt(bytes: Uint8Array, at: number, frames: number): Uint8Array {
  const frame = bytes.subarray(at);
  if (!isZstd(frame)) throw new ZstdFrameError(`what follows its first ${at} bytes is no zstd frame`);
  if (frames === maxFrames) throw new ZstdFrameError(`it has more than ${maxFrames} zstd frames`);
  return frame;
}
