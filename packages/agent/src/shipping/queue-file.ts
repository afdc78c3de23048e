import { crc32 } from 'node:zlib';

/**
 * One file of the queue on disk: a header of 24 bytes (little endian), then the payload.
 *
 * | offset | bytes | what |
 * |---|---|---|
 * | 0 | 4 | `EVFQ` |
 * | 4 | 2 | format version, 1 |
 * | 6 | 2 | length of the header |
 * | 8 | 4 | length of the payload |
 * | 12 | 4 | CRC-32 of the payload |
 * | 16 | 8 | when it was written, Unix milliseconds |
 *
 * The payload of version 1 is a zstd frame with one `everflame.v1.WriteRequest`: what is sent, byte for byte.
 */
export const queueFileVersion = 1;

const magic = Buffer.from('EVFQ');
const headerBytes = 24;

export function encodeQueueFileHeader(payload: Uint8Array, nowMs: number): Uint8Array {
  const header = Buffer.alloc(headerBytes);
  magic.copy(header);
  header.writeUInt16LE(queueFileVersion, 4);
  header.writeUInt16LE(headerBytes, 6);
  header.writeUInt32LE(payload.length, 8);
  header.writeUInt32LE(crc32(payload), 12);
  header.writeBigUInt64LE(BigInt(Math.trunc(nowMs)), 16);
  return header;
}

export type QueueFile =
  | { readonly kind: 'intact'; readonly payload: Uint8Array; readonly writtenUnixMs: number }
  | { readonly kind: 'damaged'; readonly reason: string };

/** Never throws: whatever is not exactly one intact file says why. The payload is a view into `bytes`. */
export function decodeQueueFile(bytes: Uint8Array): QueueFile {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (buffer.length < headerBytes) return damaged(`${buffer.length} bytes are shorter than the header`);
  if (!buffer.subarray(0, 4).equals(magic)) return damaged('it does not begin with EVFQ');
  const version = buffer.readUInt16LE(4);
  if (version !== queueFileVersion) {
    return damaged(`format version ${version}; this agent reads version ${queueFileVersion}`);
  }
  const payloadAt = buffer.readUInt16LE(6);
  if (payloadAt < headerBytes) return damaged(`a header of ${payloadAt} bytes`);
  const payload = buffer.subarray(payloadAt);
  const length = buffer.readUInt32LE(8);
  if (payload.length !== length) return damaged(`${payload.length} bytes of payload where the header says ${length}`);
  if (crc32(payload) !== buffer.readUInt32LE(12)) return damaged('the checksum differs');
  return { kind: 'intact', payload, writtenUnixMs: Number(buffer.readBigUInt64LE(16)) };
}

function damaged(reason: string): QueueFile {
  return { kind: 'damaged', reason };
}
