import { arch } from 'node:os';

import koffi from 'koffi';

/** A system call or a library call failed: which, with what errno. */
export class SystemError extends Error {
  override readonly name = 'SystemError';
  readonly call: string;
  readonly errno: number;

  constructor(call: string, errno: number) {
    super(`${call}: ${describeErrno(errno)}`);
    this.call = call;
    this.errno = errno;
  }

  /** `EPERM`, `EINVAL`, …; the number as text where the table has no name. */
  get code(): string {
    return errnoName(this.errno);
  }
}

function errnoName(errno: number): string {
  for (const [name, value] of Object.entries(koffi.os.errno)) if (value === errno) return name;
  return String(errno);
}

const libc = koffi.load('libc.so.6');
const strerror = libc.func('strerror', 'str', ['int']) as (errno: number) => string;

export function describeErrno(errno: number): string {
  return `${strerror(errno)} (${errnoName(errno)})`;
}

// syscall(2) is variadic; declared here with the arguments that we give it, which both ABIs (SysV x86-64, AAPCS64) pass
// in the same registers. Its glibc code is assembly and reads no vector-register count.
const syscallPerfEventOpen = libc.func('syscall', 'long', ['long', 'void *', 'int', 'int', 'int', 'ulong']) as (
  ...args: [number: number, attr: Uint8Array, pid: number, cpu: number, groupFd: number, flags: number]
) => number;
const syscallSchedSetattr = libc.func('syscall', 'long', ['long', 'int', 'void *', 'uint']) as (
  ...args: [number: number, pid: number, attr: Uint8Array, flags: number]
) => number;
const libcMmap = libc.func('mmap', 'intptr', ['void *', 'size_t', 'int', 'int', 'int', 'long']) as (
  ...args: [at: null, length: number, protection: number, flags: number, fd: number, offset: number]
) => number | bigint;
const libcMadvise = libc.func('madvise', 'int', ['intptr', 'size_t', 'int']) as (
  ...args: [at: bigint, length: number, advice: number]
) => number;
const libcMunmap = libc.func('munmap', 'int', ['void *', 'size_t']) as (at: bigint, length: number) => number;
const libcIoctl = libc.func('ioctl', 'int', ['int', 'ulong', 'ulong']) as (
  ...args: [fd: number, request: number, argument: number]
) => number;
const libcClose = libc.func('close', 'int', ['int']) as (fd: number) => number;
const libcPread = libc.func('pread64', 'long', ['int', 'void *', 'size_t', 'int64']) as (
  ...args: [fd: number, bytes: Uint8Array, length: number, offset: number]
) => number;
const libcMallocTrim = libc.func('malloc_trim', 'int', ['size_t']) as (pad: number) => number;
const libcGetpagesize = libc.func('getpagesize', 'int', []) as () => number;
const libcVsnprintf = libc.func('vsnprintf', 'int', ['void *', 'size_t', 'void *', 'void *']) as (
  ...args: [buffer: Uint8Array, size: number, format: bigint, list: bigint]
) => number;

/** arch/x86/entry/syscalls/syscall_64.tbl; include/uapi/asm-generic/unistd.h. */
const perfEventOpenNumber = arch() === 'arm64' ? 241 : 298;
const perfFlagFdCloexec = 8;

/** perf_event_open(2) for every process on one CPU. Throws SystemError. The descriptor is closed on exec. */
export function perfEventOpen(attr: Uint8Array, cpu: number): number {
  const fd = syscallPerfEventOpen(perfEventOpenNumber, attr, -1, cpu, -1, perfFlagFdCloexec);
  if (fd < 0) throw new SystemError('perf_event_open', koffi.errno());
  return fd;
}

const schedSetattrNumber = arch() === 'arm64' ? 274 : 314;
/** struct sched_attr (include/uapi/linux/sched/types.h), first version: size, policy, flags (8), nice. */
const schedAttrBytes = 48;
const schedFlagResetOnFork = 1;

/** Sets this thread's nice value; with `resetOnFork` what it starts gets 0. Throws SystemError. */
export function schedulePriority(nice: number, resetOnFork: boolean): void {
  const attr = new Uint8Array(schedAttrBytes);
  const view = new DataView(attr.buffer);
  view.setUint32(0, schedAttrBytes, true);
  view.setUint32(8, resetOnFork ? schedFlagResetOnFork : 0, true);
  view.setInt32(16, nice, true);
  if (syscallSchedSetattr(schedSetattrNumber, 0, attr, 0) < 0) throw new SystemError('sched_setattr', koffi.errno());
}

export const pageBytes = libcGetpagesize();

const protectionRead = 1;
const protectionWrite = 2;
const mapShared = 1;

/** Memory shared with the kernel. `bytes` must not be touched after `unmap`: the pages are gone. */
export interface SharedMemory {
  readonly bytes: ArrayBuffer;
  unmap(): void;
}

/** mmap(2) of a descriptor, shared. Throws SystemError. `offset` and `length` are multiples of the page size. */
export function mapSharedMemory(fd: number, length: number, offset: number, writable: boolean): SharedMemory {
  const protection = protectionRead | (writable ? protectionWrite : 0);
  const at = BigInt(libcMmap(null, length, protection, mapShared, fd, offset));
  if (at === -1n) throw new SystemError('mmap', koffi.errno());
  return {
    bytes: koffi.view(at, length),
    unmap() {
      libcMunmap(at, length);
    },
  };
}

/** ioctl(2) with a number as argument. Throws SystemError. */
export function ioctl(name: string, fd: number, request: number, argument: number): void {
  if (libcIoctl(fd, request, argument) < 0) throw new SystemError(`ioctl ${name}`, koffi.errno());
}

export function closeFd(fd: number): void {
  libcClose(fd);
}

const madvDontNeed = 4;

/** madvise(2) with MADV_DONTNEED: pages of a file are mapped again when they are touched; what was written to private ones is lost. */
export function adviseNotNeeded(at: bigint, length: number): void {
  libcMadvise(at, length, madvDontNeed);
}

/** pread(2): the number of bytes read, negative where it fails. Where many reads fail, an exception of `fs.readSync` for each costs ten times as much. */
export function pread(fd: number, bytes: Uint8Array, offset: number): number {
  return libcPread(fd, bytes, bytes.length, offset);
}

/**
 * Gives memory that malloc keeps for later back to the system: after tables were read, 20 MB and more. Takes 3 ms at 100 MB. See
 * malloc_trim(3).
 */
export function trimMalloc(): void {
  libcMallocTrim(0);
}

/** Text of a printf call that a C library handed on with its va_list (a pointer in both ABIs). */
export function formatVarargs(format: bigint, list: bigint): string {
  const buffer = new Uint8Array(1024);
  const wanted = libcVsnprintf(buffer, buffer.length, format, list);
  return Buffer.from(buffer.buffer, 0, Math.max(0, Math.min(wanted, buffer.length - 1))).toString('utf8');
}
