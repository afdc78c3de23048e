import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import agentRuntime from './packages/cli/src/agent-runtime.json' with { type: 'json' };

/** The longest of their groups, by parts of their paths: begun last, they would run with a core to themselves. */
const longest = [
  'waiting/',
  'demo-shop',
  'web-core',
  'web-explore',
  'query-exact',
  'record-diff',
  'main-job',
  'web-states',
  'web-pages',
  'go-functions',
  'runtimes-node',
  'store-disk',
  'store-hostile',
  'runtimes-python',
];

/** The longest first, so that the rest of their groups runs beside them. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const place = ({ moduleId }: TestSpecification): number => {
      const at = longest.findIndex((part) => moduleId.includes(part));
      return at < 0 ? longest.length : at;
    };
    return sorted.toSorted((one, other) => place(one) - place(other));
  }
}

/**
 * The group of unit tests: a worker for each of two cores, and one for the test that waits. A worker keeps what it has loaded and compiled from one
 * file to the next: a quarter of the CPU of 37 unit test files.
 */
const besideEachOther = { maxWorkers: 3, isolate: false };

/** End-to-end tests in which nothing is timed, and at most that something is sampled: beside the unit tests. */
const untimed =
  'test/e2e/{compile-cache,container-compose,deployments-found,diff-wait,dwarf-lines,query-*,server-{crash,pprof},shipping-kill,store-*,unwind-tables,unwind-twins,web-*}.test.ts';

/** What is sampled there keeps its truth when another program has half of the machine: two at a time. */
const paired =
  'test/e2e/{agent-kernel,agent-live,agent-rights,agent-short-lived,demo-shop,kernel-shapes,main-job,otel-contexts,record-{diff,namespaces},runtimes-*,stacks-{chains,nothing-lost,repeated,short-lived}}.test.ts';

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    // As the agent runs WebAssembly: see packages/cli/src/agent-process.ts.
    execArgv: agentRuntime.flags.filter((flag) => /wasm|liftoff/u.test(flag)),
    env: { TZ: 'UTC', LC_ALL: 'C.UTF-8' },
    projects: [
      {
        extends: true,
        test: {
          ...besideEachOther,
          name: 'unit',
          include: ['packages/*/src/**/*.test.ts', 'web/src/**/*.test.ts', 'test/load/**/*.test.ts'],
          testTimeout: 60_000,
        },
      },
      {
        extends: true,
        // A minute of outage, in which nothing is measured: beside the unit tests.
        test: {
          ...besideEachOther,
          name: 'waiting',
          include: ['test/waiting/**/*.test.ts'],
          testTimeout: 300_000,
        },
      },
      {
        extends: true,
        test: {
          ...besideEachOther,
          name: 'untimed',
          include: [untimed],
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'paired',
          // After the unit tests, which take all of the machine.
          sequence: { groupOrder: 1 },
          maxWorkers: 2,
          include: [paired],
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          sequence: { groupOrder: 2 },
          include: ['test/e2e/**/*.test.ts'],
          exclude: [untimed, paired],
          // One at a time: they share two cores, and what they measure is the CPU, down to the last sample.
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
          sequence: { groupOrder: 3 },
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
