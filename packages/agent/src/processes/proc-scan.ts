import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

import { insertMapping } from './mapping-list.ts';
import { holdsText, textBesideFiles } from './moved-text.ts';
import type { ProcessMapping } from './process.ts';

/** What /proc says of one process at one instant. */
export interface ScannedProcess {
  readonly pid: number;
  readonly parentPid: number;
  readonly comm: string;
  readonly isKernelThread: boolean;
  /** '' for a kernel thread and for one that is on its way out. */
  readonly executablePath: string;
  readonly mappings: readonly ProcessMapping[];
  /** Executable and mappings are empty because we may not read them. */
  readonly isRefused: boolean;
  /** It exited or executed another program while it was read: `mappings` may lack some, or all. */
  readonly isLeaving: boolean;
}

/** include/linux/sched.h */
const pfKthread = 0x00200000;

const goneCodes = new Set(['ENOENT', 'ESRCH']);
const refusedCodes = new Set(['EACCES', 'EPERM']);

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** Executable mappings of a /proc/PID/maps text. Its format is fixed: `start-end perms offset dev inode path`. */
export function parseMaps(text: string): ProcessMapping[] {
  const mappings: ProcessMapping[] = [];
  for (const line of text.split('\n')) {
    const found = /^([0-9a-f]+)-([0-9a-f]+) ..x. ([0-9a-f]+) (\S+) (\d+)(?: +(.*))?$/u.exec(line);
    if (found === null) continue;
    const [, start = '', end = '', fileOffset = '', device = '', inode = '', path = ''] = found;
    mappings.push({
      start: BigInt(`0x${start}`),
      end: BigInt(`0x${end}`),
      fileOffset: BigInt(`0x${fileOffset}`),
      // The records say //anon; one word for one thing.
      path: path === '' || path.startsWith('[anon') ? '//anon' : path.replaceAll('\\012', '\n'),
      buildId: '',
      device,
      inode: BigInt(inode),
    });
  }
  return mappings;
}

/** Fields of a /proc/PID/stat text; the comm is in brackets and may hold any byte, brackets too. */
export function parseStat(text: string): { comm: string; parentPid: number; flags: number } {
  const open = text.indexOf('(');
  const close = text.lastIndexOf(')');
  const rest = text.slice(close + 2).split(' ');
  return {
    // Of a kworker, /proc adds what it works on to its name; the name alone is the thread's.
    comm: text.slice(open + 1, close).replace(/^(kworker\/u?\d+:[^-+]*)[-+].*$/su, '$1'),
    parentPid: Number(rest[1]),
    flags: Number(rest[6]),
  };
}

function readExecutablePath(procRoot: string, pid: number): string {
  try {
    return readlinkSync(`${procRoot}/${pid}/exe`);
  } catch (error) {
    // Kernel threads and zombies have none.
    if (goneCodes.has(codeOf(error))) return '';
    throw error;
  }
}

/**
 * The mappings of a process; of another of its threads when the first one has exited, which leaves its own list empty.
 */
function readMappings(procRoot: string, pid: number, executablePath: string): readonly ProcessMapping[] {
  const maps = readFileSync(`${procRoot}/${pid}/maps`, 'utf8');
  let mappings: readonly ProcessMapping[] = parseMaps(maps);
  for (const text of textBesideFiles(maps)) {
    if (holdsText({ pid, executablePath, text }, procRoot)) ({ mappings } = insertMapping(mappings, text));
  }
  if (mappings.length > 0) return mappings;
  const other = readdirSync(`${procRoot}/${pid}/task`).find((tid) => Number(tid) !== pid);
  return other === undefined ? [] : parseMaps(readFileSync(`${procRoot}/${pid}/task/${other}/maps`, 'utf8'));
}

/** Undefined when it is gone. */
export function scanProcess(pid: number, procRoot = '/proc'): ScannedProcess | undefined {
  try {
    const { comm, parentPid, flags } = parseStat(readFileSync(`${procRoot}/${pid}/stat`, 'utf8'));
    const isKernelThread = (flags & pfKthread) !== 0;
    const nothing = { executablePath: '', mappings: [], isRefused: false, isLeaving: false };
    const base = { pid, parentPid, comm, isKernelThread };
    if (isKernelThread) return { ...base, ...nothing };
    try {
      const executablePath = readExecutablePath(procRoot, pid);
      const mappings = readMappings(procRoot, pid, executablePath);
      const isLeaving = readExecutablePath(procRoot, pid) !== executablePath;
      return { ...base, executablePath, mappings, isRefused: false, isLeaving };
    } catch (error) {
      if (!refusedCodes.has(codeOf(error))) throw error;
      return { ...base, ...nothing, isRefused: true };
    }
  } catch (error) {
    if (goneCodes.has(codeOf(error))) return undefined;
    throw error;
  }
}

export function listPids(procRoot = '/proc'): number[] {
  return readdirSync(procRoot)
    .filter((name) => /^\d+$/u.test(name))
    .map(Number);
}

/** The PID in the process's own namespace (last number of `NSpid:`); undefined when it is gone. */
export function readNamespacePid(pid: number, procRoot = '/proc'): number | undefined {
  try {
    const found = /^NSpid:.*?(\d+)$/mu.exec(readFileSync(`${procRoot}/${pid}/status`, 'utf8'));
    return found === null ? pid : Number(found[1]);
  } catch (error) {
    if (goneCodes.has(codeOf(error)) || refusedCodes.has(codeOf(error))) return undefined;
    throw error;
  }
}
