import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    env: { TZ: 'UTC', LC_ALL: 'C.UTF-8' },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['packages/*/src/**/*.test.ts', 'web/src/**/*.test.ts', 'test/load/**/*.test.ts'],
          testTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          // After the unit tests, so that these have the machine to themselves.
          sequence: { groupOrder: 1 },
          include: ['test/e2e/**/*.test.ts'],
          // One at a time: they share two cores, and what they measure is the CPU.
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
      {
        extends: true,
        // `npm run test:stacks`, not part of `npm test`: minutes under the churn of processes.
        test: {
          name: 'churn',
          sequence: { groupOrder: 2 },
          include: ['test/churn/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 1_200_000,
          hookTimeout: 300_000,
        },
      },
      {
        extends: true,
        // `npm run test:unwind`, not part of `npm test`: its judges are Go 1.26 and a libc whose own symbols are installed.
        test: { name: 'unwind', include: ['test/unwind/**/*.test.ts'], testTimeout: 300_000, hookTimeout: 300_000 },
      },
      {
        extends: true,
        // `npm run test:runtimes`, not part of `npm test`: every version of Node.js, with each of V8's tiers alone.
        test: {
          name: 'runtimes',
          include: ['test/runtimes/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 300_000,
        },
      },
      {
        extends: true,
        // `npm run test:dwarf`, not part of `npm test`: more compilations, and debug files of Debian's packages that a bare machine lacks.
        test: { name: 'dwarf', include: ['test/dwarf/**/*.test.ts'], testTimeout: 300_000 },
      },
    ],
  },
});
