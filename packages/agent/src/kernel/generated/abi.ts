// Generated from bpf/abi.h by scripts/gen-abi.mjs. Do not edit.

export const maxFrames = 127;
export const commBytes = 16;
export const flagKernelThread = 1;
export const flagKernelTruncated = 2;
export const flagUserTruncated = 4;
export const flagKernelFailed = 8;
export const flagUserFailed = 16;
export const counterSampled = 0;
export const counterIdle = 1;
export const counterRingFull = 2;
export const counterNoScratch = 3;
export const counters = 4;

/** `struct ef_sample`: offset of each field in bytes. */
export const sampleOffset = {
  timeNs: 0,
  cgroupId: 8,
  pid: 16,
  tid: 20,
  cpu: 24,
  flags: 28,
  kernelFrames: 32,
  userFrames: 34,
  reserved: 36,
  comm: 40,
} as const;
export const sampleBytes = 56;
