/** Encodes `struct perf_event_attr` (include/uapi/linux/perf_event.h), version 5 of 112 bytes: kernel 4.1 and newer. */
const attrBytes = 112;

const offset = { type: 0, size: 4, config: 8, sampleFreq: 16, sampleType: 24, flags: 40, clockId: 92 } as const;

/** Bits of the flag word at offset 40. */
const flag = {
  disabled: 0,
  excludeIdle: 7,
  mmap: 8,
  comm: 9,
  freq: 10,
  task: 13,
  sampleIdAll: 18,
  mmap2: 23,
  commExec: 24,
  useClockId: 25,
  buildId: 34,
} as const;

const typeSoftware = 1;
const swCpuClock = 0;
const swDummy = 9;
const sampleTypeTime = 1n << 2n;
const clockMonotonic = 1;

function attr(config: number, sampleType: bigint, flags: readonly number[]): { bytes: Uint8Array; view: DataView } {
  const bytes = new Uint8Array(attrBytes);
  const view = new DataView(bytes.buffer);
  view.setUint32(offset.type, typeSoftware, true);
  view.setUint32(offset.size, attrBytes, true);
  view.setBigUint64(offset.config, BigInt(config), true);
  view.setBigUint64(offset.sampleType, sampleType, true);
  view.setBigUint64(
    offset.flags,
    flags.reduce((bits, bit) => bits | (1n << BigInt(bit)), 0n),
    true,
  );
  return { bytes, view };
}

/**
 * The sampling clock: an hrtimer per CPU with the fixed period 1e9 / frequencyHz ns (perf maps a frequency of this event to
 * a period once, kernel/events/core.c perf_swevent_init_hrtimer). The idle task is left out before a program runs.
 */
export function cpuClockAttr(frequencyHz: number): Uint8Array {
  const { bytes, view } = attr(swCpuClock, 0n, [flag.disabled, flag.freq, flag.excludeIdle]);
  view.setBigUint64(offset.sampleFreq, BigInt(frequencyHz), true);
  return bytes;
}

/**
 * The records of who runs what: MMAP2 of executable mappings, COMM, FORK, EXIT, each ending with its time in
 * CLOCK_MONOTONIC. `withBuildId` (kernel 5.12) puts the build ID in place of device and inode.
 */
export function recordsAttr(withBuildId: boolean): Uint8Array {
  const { bytes, view } = attr(swDummy, sampleTypeTime, [
    flag.disabled,
    flag.mmap,
    flag.comm,
    flag.task,
    flag.sampleIdAll,
    flag.mmap2,
    flag.commExec,
    flag.useClockId,
    ...(withBuildId ? [flag.buildId] : []),
  ]);
  view.setInt32(offset.clockId, clockMonotonic, true);
  return bytes;
}
