import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';

import { findMapping } from './mapping-list.ts';
import type { ProcessMapping } from './process.ts';
import { unlessRefused } from '../kernel/unless-refused.ts';

/**
 * Programs move their text to huge pages: they copy it, map anonymous memory over it and copy it back (Node.js with --use-largepages, HHVM, Chromium).
 * The kernel then tells of anonymous code. What lies there is compared with the file at so many places, spread over the range, so that code that a JIT
 * writes to a place where a file was is not taken for the file's.
 */
const places = 16;
const placeBytes = 64;
/** Places of zeroes say nothing: what has just been mapped is zeroes, too. */
const leastTelling = 4;

/** Part of an anonymous mapping as what it would be if a file's text had been moved there. */
export interface MovedText {
  readonly pid: number;
  readonly executablePath: string;
  readonly text: ProcessMapping;
}

/** Memory without a file, which may be pages of its own size. */
export function isAnonymous(path: string): boolean {
  return path === '' || path === '//anon' || path.startsWith('[anon') || /^\/anon_hugepage\b/u.test(path);
}

/** The parts of `anonymous` where files were mapped before, as parts of those. */
export function textBelow(mappings: readonly ProcessMapping[], anonymous: ProcessMapping): ProcessMapping[] {
  const found: ProcessMapping[] = [];
  for (let at = anonymous.start; at < anonymous.end;) {
    const mapping = findMapping(mappings, at) ?? mappings.find(({ start }) => start > at);
    if (mapping === undefined || mapping.start >= anonymous.end) break;
    if (mapping.start > at) at = mapping.start;
    const end = mapping.end < anonymous.end ? mapping.end : anonymous.end;
    if (mapping.path.startsWith('/') && !isAnonymous(mapping.path)) {
      found.push({ ...mapping, start: at, end, fileOffset: mapping.fileOffset + (at - mapping.start) });
    }
    at = end;
  }
  return found;
}

/**
 * The anonymous code in a /proc/PID/maps text that continues a file's mapping, as a part of that file: its text may have been moved before anyone
 * looked.
 */
export function textBesideFiles(text: string): ProcessMapping[] {
  const found: ProcessMapping[] = [];
  let before: ProcessMapping | undefined;
  for (const line of text.split('\n')) {
    const parts = /^([0-9a-f]+)-([0-9a-f]+) ..(.). ([0-9a-f]+) (\S+) (\d+)(?: +(.*))?$/u.exec(line);
    if (parts === null) continue;
    const [, from = '', to = '', execute = '', offset = '', device = '', inode = '', path = ''] = parts;
    const [start, end] = [BigInt(`0x${from}`), BigInt(`0x${to}`)];
    const isAnonymousHere = isAnonymous(path);
    if (!isAnonymousHere && path.startsWith('/')) {
      before = { start, end, fileOffset: BigInt(`0x${offset}`), path, buildId: '', device, inode: BigInt(inode) };
    } else if (isAnonymousHere && before?.end === start) {
      before = { ...before, start, end, fileOffset: before.fileOffset + (start - before.start) };
      if (execute === 'x') found.push(before);
    } else {
      before = undefined;
    }
  }
  return found;
}

/** Does the process hold there what the file has? False where that cannot be read. */
export function holdsText({ pid, executablePath, text }: MovedText, procRoot: string): boolean {
  const isExecutable = text.path === executablePath;
  const file = openOrNothing(isExecutable ? `${procRoot}/${pid}/exe` : `${procRoot}/${pid}/root${text.path}`);
  const memory = openOrNothing(`${procRoot}/${pid}/mem`);
  try {
    if (file === undefined || memory === undefined || !fstatSync(file).isFile()) return false;
    const last = Number(text.end - text.start) - placeBytes;
    const [ours, theirs] = [Buffer.alloc(placeBytes), Buffer.alloc(placeBytes)];
    let telling = 0;
    for (let place = 0; place < places; place++) {
      const at = Math.floor((last * place) / (places - 1));
      const isRead =
        readOrNothing(file, ours, Number(text.fileOffset) + at) &&
        readOrNothing(memory, theirs, Number(text.start) + at);
      if (!isRead || !ours.equals(theirs)) return false;
      if (ours.some((byte) => byte !== 0)) telling++;
    }
    return telling >= leastTelling;
  } finally {
    for (const fd of [file, memory]) if (fd !== undefined) closeSync(fd);
  }
}

/** Never waits: there may be a pipe at the path by now. */
function openOrNothing(path: string): number | undefined {
  return unlessRefused(() => openSync(path, constants.O_RDONLY | constants.O_NONBLOCK));
}

function readOrNothing(fd: number, bytes: Buffer, at: number): boolean {
  return unlessRefused(() => readSync(fd, bytes, 0, bytes.length, at)) === bytes.length;
}
