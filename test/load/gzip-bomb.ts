import { constants, deflateRawSync } from 'node:zlib';

const MIB = 2 ** 20;

/** A gzip file of about 10 MB that unpacks to `mib` MiB of zeros; its checksum is wrong, but that comes last. */
export function gzipBomb(mib: number): Uint8Array {
  const header = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
  // Flushed, each block stands for itself and can be repeated.
  const block = deflateRawSync(new Uint8Array(MIB), { level: 9, finishFlush: constants.Z_FULL_FLUSH });
  const end = Buffer.from([3, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  return Buffer.concat([header, ...Array.from({ length: mib }, () => block), end]);
}
