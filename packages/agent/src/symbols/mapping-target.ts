import type { ProcessMapping } from '../processes/process.ts';

/** Where names for the addresses of a mapping are to be looked for. */
export type MappingTarget =
  /** An ELF file, or something that turns out to be none. */
  | 'file'
  | 'vdso'
  | 'vsyscall'
  /** Code without a file: a JIT's. */
  | 'anonymous'
  /** The page of a jitdump file that a JIT maps executable only to announce it. */
  | 'jitdump';

/** Tells by the path as the kernel prints it. */
export function targetOfMapping(mapping: ProcessMapping): MappingTarget {
  const { path } = mapping;
  if (path === '[vdso]') return 'vdso';
  if (path === '[vsyscall]') return 'vsyscall';
  if (!path.startsWith('/') || path.startsWith('//anon')) return 'anonymous';
  if (/^\/(dev\/zero|anon_hugepage|SYSV[0-9a-f]+|dev\/shm\/memfd|i915)\b/.test(path)) return 'anonymous';
  if (/\/jit-\d+\.dump( \(deleted\))?$/.test(path)) return 'jitdump';
  return 'file';
}

/** The path to be shown: without the mark of a deleted file and without the root of a process that lives in a chroot. */
export function shownPath(path: string, processRoot: string): string {
  const plain = withoutDeletedMark(path);
  return processRoot !== '/' && plain.startsWith(`${processRoot}/`) ? plain.slice(processRoot.length) : plain;
}

export function withoutDeletedMark(path: string): string {
  return path.endsWith(' (deleted)') ? path.slice(0, -' (deleted)'.length) : path;
}

/** The part of a path that stands in `[binary+0x1234]`. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1) || path;
}
