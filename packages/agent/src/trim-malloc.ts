/** For the server's process, which has no foreign functions of its own. */
export { trimMalloc } from './kernel/libc.ts';
