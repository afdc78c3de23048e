import { readFileSync } from 'node:fs';
import type { ProcessMapping, ProcessView } from '../processes/process.ts';
import { FileSource, readBuildIds, readElfFile } from '@everflame/binary';
import { closeSync, openSync } from 'node:fs';

/** A process that runs now, as the agent's process table would show it; build IDs are read from the files as the kernel reads them. */
export function liveProcess(
  pid: number,
  options: { readonly withBuildIds: boolean } = { withBuildIds: true },
): ProcessView {
  const mappings: ProcessMapping[] = [];
  for (const line of readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')) {
    const match = /^([0-9a-f]+)-([0-9a-f]+) ..x. ([0-9a-f]+) (\S+) (\d+)\s*(.*)$/.exec(line);
    if (match === null) continue;
    const [, start = '', end = '', fileOffset = '', device = '', inode = '', path = ''] = match;
    mappings.push({
      start: BigInt(`0x${start}`),
      end: BigInt(`0x${end}`),
      fileOffset: BigInt(`0x${fileOffset}`),
      path: path === '' ? '//anon' : path,
      buildId: options.withBuildIds ? buildIdOf(`/proc/${pid}/map_files/${start}-${end}`) : '',
      device,
      inode: BigInt(inode),
    });
  }
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const namespacePid = Number(/^NSpid:.*?(\d+)$/m.exec(status)?.[1] ?? pid);
  const name = /^Name:\t(.*)$/m.exec(status)?.[1] ?? '';
  return {
    pid,
    namespacePid,
    startTimeNs: 1n,
    executablePath: '',
    executableName: name,
    mappings,
    isKernelThread: false,
  };
}

function buildIdOf(path: string): string {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch {
    return '';
  }
  try {
    const elf = readElfFile(new FileSource(fd));
    return elf.ok ? readBuildIds(elf.value).gnu : '';
  } finally {
    closeSync(fd);
  }
}
