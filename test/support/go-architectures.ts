import { isLong } from './long.ts';

/**
 * For which machines Go's compiler makes programs in tests. For each it first has to compile its runtime, ten seconds of CPU: `npm test` has one of the
 * other byte order, `npm run test:long` the others, those of 32 bits among them.
 */
export const goArchitectures: readonly string[] = isLong ? ['386', 'arm64', 'mips', 's390x'] : ['s390x'];
