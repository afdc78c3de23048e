import { openSync } from 'node:fs';

/**
 * Another descriptor of a file that is open, with a life of its own: also of a deleted file or a memfd. Throws what the operating system throws (a file that
 * may only be executed).
 */
export function ownDescriptor(fd: number): number {
  return openSync(`/proc/self/fd/${fd}`, 'r');
}
