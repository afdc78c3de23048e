/** For the server's process, which has no foreign functions of its own. */
export { OwnMemory } from './kernel/own-memory.ts';
