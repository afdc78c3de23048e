import type { ProcessMapping } from './process.ts';

/** What a record of the kernel says happened to a process. Times are CLOCK_MONOTONIC in ns (exact to 2^53: 104 days of uptime; to 2 ns beyond). */
export type PerfRecord =
  | { readonly kind: 'mmap'; readonly timeNs: number; readonly pid: number; readonly mapping: ProcessMapping }
  | {
      readonly kind: 'comm';
      readonly timeNs: number;
      readonly pid: number;
      readonly tid: number;
      readonly comm: string;
      /** Another program runs from here on: all mappings are gone. */
      readonly isExec: boolean;
    }
  /** A process when `pid` differs from `parentPid`, else a thread. */
  | {
      readonly kind: 'fork';
      readonly timeNs: number;
      readonly pid: number;
      readonly parentPid: number;
      readonly tid: number;
    }
  /** Of a thread. */
  | { readonly kind: 'exit'; readonly timeNs: number; readonly pid: number; readonly tid: number }
  /** The ring was full; so many records are missing before the next one of this CPU. */
  | { readonly kind: 'lost'; readonly timeNs: number; readonly lost: number }
  | { readonly kind: 'malformed'; readonly timeNs: number };

/** `enum perf_event_type` (include/uapi/linux/perf_event.h). */
const type = { lost: 2, comm: 3, exit: 4, fork: 7, mmap2: 10 } as const;
const miscCommExec = 1 << 13;
const miscMmapBuildId = 1 << 14;

/** Bytes before the variable part, with the 8-byte header; every record ends with 8 bytes of time (sample_id_all). */
const fixed = { lost: 24, comm: 16, task: 32, mmap2: 72 } as const;
const trailerBytes = 8;

const hexDigits = '0123456789abcdef';

function hex(view: DataView, offset: number, length: number): string {
  let text = '';
  for (let i = offset; i < offset + length; i++) {
    const byte = view.getUint8(i);
    text += (hexDigits[byte >> 4] ?? '') + (hexDigits[byte & 15] ?? '');
  }
  return text;
}

/** Text up to the first NUL. */
function readText(view: DataView, offset: number, end: number): string {
  let stop = offset;
  while (stop < end && view.getUint8(stop) !== 0) stop++;
  return Buffer.from(view.buffer, view.byteOffset + offset, stop - offset).toString('utf8');
}

function readTime(view: DataView, at: number): number {
  return view.getUint32(at + 4, true) * 2 ** 32 + view.getUint32(at, true);
}

function readMapping(view: DataView, offset: number, end: number): ProcessMapping {
  const start = view.getBigUint64(offset + 16, true);
  const hasBuildId = (view.getUint16(offset + 4, true) & miscMmapBuildId) !== 0;
  return {
    start,
    end: start + view.getBigUint64(offset + 24, true),
    fileOffset: view.getBigUint64(offset + 32, true),
    path: readText(view, offset + fixed.mmap2, end),
    buildId: hasBuildId ? hex(view, offset + 44, Math.min(view.getUint8(offset + 40), 20)) : '',
    device: hasBuildId ? '' : deviceName(view.getUint32(offset + 40, true), view.getUint32(offset + 44, true)),
    inode: hasBuildId ? 0n : view.getBigUint64(offset + 48, true),
  };
}

/** As in /proc/PID/maps: `fd:01`. */
export function deviceName(major: number, minor: number): string {
  return `${major.toString(16).padStart(2, '0')}:${minor.toString(16).padStart(2, '0')}`;
}

/** Reads the record of `size` bytes at `offset`; undefined for a type that we did not ask for. Copies: nothing of `view` is kept. */
export function parsePerfRecord(view: DataView, offset: number, size: number): PerfRecord | undefined {
  const kind = view.getUint32(offset, true);
  const end = offset + size - trailerBytes;
  const timeNs = size >= 16 ? readTime(view, end) : 0;
  const isShort = (bytes: number): boolean => size < bytes + trailerBytes;
  switch (kind) {
    case type.mmap2:
      if (isShort(fixed.mmap2)) break;
      return { kind: 'mmap', timeNs, pid: view.getUint32(offset + 8, true), mapping: readMapping(view, offset, end) };
    case type.comm:
      if (isShort(fixed.comm)) break;
      return {
        kind: 'comm',
        timeNs,
        pid: view.getUint32(offset + 8, true),
        tid: view.getUint32(offset + 12, true),
        comm: readText(view, offset + fixed.comm, end),
        isExec: (view.getUint16(offset + 4, true) & miscCommExec) !== 0,
      };
    case type.fork:
    case type.exit: {
      if (isShort(fixed.task)) break;
      const pid = view.getUint32(offset + 8, true);
      const tid = view.getUint32(offset + 16, true);
      if (kind === type.exit) return { kind: 'exit', timeNs, pid, tid };
      return { kind: 'fork', timeNs, pid, parentPid: view.getUint32(offset + 12, true), tid };
    }
    case type.lost:
      if (isShort(fixed.lost)) break;
      return { kind: 'lost', timeNs, lost: Number(view.getBigUint64(offset + 16, true)) };
    default:
      return undefined;
  }
  return { kind: 'malformed', timeNs };
}
