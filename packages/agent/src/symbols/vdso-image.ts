import { open, readFile } from 'node:fs/promises';

/** The kernel's are 4 to 16 KiB. */
const mostBytes = 256 * 1024;

/**
 * The vDSO as it lies in memory, an ELF image: from this process for 64-bit ones (it is the same in all of them), from the given one for 32-bit ones.
 * Undefined where there is none or it cannot be read.
 */
export async function readVdsoImage(pid: number | 'self'): Promise<Uint8Array | undefined> {
  try {
    const maps = await readFile(`/proc/${pid}/maps`, 'utf8');
    const range = /^([0-9a-f]+)-([0-9a-f]+) .*\[vdso\]$/m.exec(maps);
    const start = Number.parseInt(range?.[1] ?? '', 16);
    const length = Number.parseInt(range?.[2] ?? '', 16) - start;
    if (!(length > 0 && length <= mostBytes)) return undefined;
    const memory = await open(`/proc/${pid}/mem`, 'r');
    try {
      const image = new Uint8Array(length);
      const { bytesRead } = await memory.read(image, 0, length, start);
      return image.subarray(0, bytesRead);
    } finally {
      await memory.close();
    }
  } catch (error) {
    if (error instanceof Error && 'code' in error) return undefined;
    throw error;
  }
}
