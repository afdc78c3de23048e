import { promisify } from 'node:util';
import { constants, crc32, deflateRaw, type ZlibOptions } from 'node:zlib';
import { joinBytes } from '@everflame/profile';

const deflate = promisify<Uint8Array, ZlibOptions, Buffer>(deflateRaw);

/** Of RFC 1952: magic, deflate; no flags, no time, no hint; from an operating system that is not told. */
const header = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255);
/** A last block with nothing in it. */
const lastBlock = Uint8Array.of(3, 0);
/** Parts that are compressed or wait for it while the next one is made. */
const mostWaiting = 3;

/**
 * The parts as one gzip file (one member, as browsers want it). They are compressed beside each other by zlib's threads, each by itself: what a part
 * could have referred to in the one before it is lost, so that parts should be large. `level`: zlib's.
 */
export async function gzipParts(parts: Iterable<Uint8Array>, level: number): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array[] = [header];
  const waiting: Promise<Uint8Array>[] = [];
  let sum = 0;
  let length = 0;
  for (const part of parts) {
    sum = crc32(part, sum);
    length += part.length;
    const chunkSize = Math.max(64, part.length >> 1);
    // Ends at a whole byte, and another block may follow.
    waiting.push(deflate(part, { level, finishFlush: constants.Z_SYNC_FLUSH, chunkSize }));
    const oldest = waiting.length > mostWaiting ? waiting.shift() : undefined;
    if (oldest !== undefined) pieces.push(await oldest);
  }
  pieces.push(...(await Promise.all(waiting)), lastBlock, new Uint8Array(Uint32Array.of(sum, length).buffer));
  return joinBytes(pieces);
}
