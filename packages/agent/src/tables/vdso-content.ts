import { readFile } from 'node:fs/promises';

import type { ProcessMapping, ProcessView } from '../processes/process.ts';
import { readVdsoImage } from '../symbols/vdso-image.ts';

/** The kernel maps the vDSO of a 64-bit process above the first 4 GB, beside its stack. */
export function isVdsoOf32Bits({ path, start }: ProcessMapping): boolean {
  return path === '[vdso]' && start < 2n ** 32n;
}

/** `gone`: the process has ended, and we have no vDSO of its kind ourselves; `none`: there is none, or it may not be read. */
export async function readVdsoContent(
  process: ProcessView,
  mapping: ProcessMapping,
): Promise<{ readonly image: Uint8Array } | 'gone' | 'none'> {
  if (!isVdsoOf32Bits(mapping)) {
    const own = await readVdsoImage('self');
    return own === undefined ? 'none' : { image: own };
  }
  const image = await readVdsoImage(process.pid);
  if (image !== undefined) return { image };
  try {
    // A process that is only waited for has no mappings any more.
    return (await readFile(`/proc/${process.pid}/maps`, 'latin1')) === '' ? 'gone' : 'none';
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    return error.code === 'ENOENT' || error.code === 'ESRCH' ? 'gone' : 'none';
  }
}
