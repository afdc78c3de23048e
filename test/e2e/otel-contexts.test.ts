import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

import { type ProgramShape, record, startAgent } from '@everflame/agent';
import { decodeProfile } from '@everflame/profile';
import { afterAll, expect, test } from 'vitest';

import { readTruth } from '../support/five-functions.ts';
import { samplingError } from '../support/sampling-interval.ts';
import { Workloads } from '../workloads/compile.ts';
import { countBy, samplesOf, type SeenSample, total } from './agent-samples.ts';

const workloads = new Workloads();
afterAll(() => workloads.remove());

const frequencyHz = 499;
/** Of test/workloads/otel-spans.c: the functions that run under a span, with what else its context says. */
const underSpan: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  alpha: { http_route: '/alpha' },
  beta: { user: 'zoë' },
  // Its attributes are too long.
  gamma_: {},
};
/** At writing its context, and without one. */
const underNone = ['writing', 'without'];
const functions = [...Object.keys(underSpan), ...underNone];

function expectedLabels(name: string, thread: string): Record<string, string> {
  const its = underSpan[name];
  if (its === undefined) return {};
  const index = thread === 'two' ? 1 : 0;
  const spanId = `1${index}000000000000${String(functions.indexOf(name) + 1).padStart(2, '0')}`;
  return { trace_id: `a${index}`.repeat(16), span_id: spanId, ...its };
}

const own = new Set(['process_executable_name', 'process_pid', 'thread_name', 'thread_id']);

function isRight({ functions: frames, labels }: SeenSample): boolean {
  const name = frames.find((each) => functions.includes(each)) ?? '';
  const found = Object.entries(labels).filter(([key]) => !own.has(key));
  const expected = expectedLabels(name, labels['thread_name'] ?? '');
  return found.length === Object.keys(expected).length && found.every(([key, text]) => expected[key] === text);
}

async function expectSpans(program: string, rest: readonly string[], shapes?: readonly ProgramShape[]): Promise<void> {
  const truth = join(workloads.folder, 'truth');
  const target = { kind: 'command', command: program, arguments: ['800', truth, ...rest] } as const;
  const options = { frequencyHz, target, stdio: 'ignore' } as const;
  const { profile, exitCode, losses } = await record(shapes === undefined ? options : { ...options, shapes });
  expect(exitCode).toBe(0);
  const samples = samplesOf(profile).filter(({ functions: frames }) => functions.some((name) => frames.includes(name)));
  const wrong = samples.filter((sample) => !isRight(sample));
  const lost = losses
    .filter(({ total: count }) => count > 0)
    .map(({ name, cause, total: count }) => `${name}/${cause} ${count}`);
  // For the reader of the log, one line for each run.
  console.info(
    JSON.stringify({ program, samples: total(samples), wrong: total(wrong), spans: countBy(samples, 'span_id'), lost }),
  );
  expect(total(samples)).toBeGreaterThan(300);
  // A few instructions of each change of spans are within the function before.
  expect(total(wrong) / total(samples) < 0.005 ? [] : wrong.slice(0, 5)).toEqual([]);
  const planted = readTruth(truth);
  const plantedNs = [...planted.values()].reduce((sum, each) => sum + each, 0);
  const differing = Object.keys(underSpan).filter((name) => {
    const expected = (planted.get(name) ?? 0) / plantedNs;
    const ids = ['one', 'two'].map((thread) => expectedLabels(name, thread)['span_id']);
    const seen = total(samples.filter(({ labels }) => ids.includes(labels['span_id'])));
    return Math.abs(seen / total(samples) - expected) > samplingError(expected, total(samples));
  });
  expect(differing).toEqual([]);
  const cut = losses.find(({ name, cause }) => name === 'labels_cut' && cause === 'context')?.total;
  // Those in the function that enters the span, too.
  const idsOfLong = ['one', 'two'].map((thread) => expectedLabels('gamma_', thread)['span_id']);
  expect(cut).toBe(total(samplesOf(profile).filter(({ labels }) => idsOfLong.includes(labels['span_id']))));
}

test('what a process publishes of its resource is that of its series', async () => {
  const program = workloads.compile('otel-spans', { name: 'published', flags: ['-rdynamic'] });
  const seen: { readonly labels: Readonly<Record<string, string>>; readonly spans: number }[] = [];
  const agent = await startAgent({
    frequencyHz: 99,
    intervalMs: 500,
    hostName: 'test-host',
    shipper: {
      async enqueue(profiles) {
        for (const { labels, pprof } of profiles) {
          if (labels['process_executable_name'] !== 'published') continue;
          const decoded = decodeProfile(pprof);
          if (!decoded.ok) throw new Error(decoded.error.message);
          seen.push({ labels, spans: total(samplesOf(decoded.profile).filter(({ labels: its }) => 'span_id' in its)) });
        }
      },
    },
  });
  try {
    await once(spawn(program, ['800', join(workloads.folder, 'truth-of-published')]), 'exit');
  } finally {
    await agent.stop();
  }
  const labels = seen.at(-1)?.labels;
  expect(labels).toMatchObject({ service_name: 'shop-of-spans', service_version: '7.1' });
  // Before it was found, the service is the program.
  expect(new Set(seen.map((each) => each.labels['service_name'])).size).toBeLessThanOrEqual(2);
  expect(seen.reduce((sum, { spans }) => sum + spans, 0)).toBeGreaterThan(50);
});

const dialects = ['gnu', 'gnu2'];

test('spans of a program that has the variable itself, where the kernel has no bpf_loop', async () => {
  const program = workloads.compile('otel-spans', { name: 'by-calls', flags: ['-rdynamic'] });
  await expectSpans(program, [], [{ hasLoop: false, growsHash: false }]);
});

test.each(dialects)('spans of a program whose library has the variable, by dialect %s', async (dialect) => {
  const flags = ['-DLIBRARY', '-fPIC', '-shared', `-mtls-dialect=${dialect}`];
  const library = workloads.compile('otel-spans', { name: `libspans-${dialect}.so`, flags });
  const linked = workloads.compile('otel-spans', {
    name: `linked-${dialect}`,
    flags: ['-DLINKED', '-Wl,--no-as-needed', library, `-Wl,-rpath,${workloads.folder}`],
  });
  await expectSpans(linked, []);
});

test.each(dialects)('spans of a program that loads a library with the variable, by dialect %s', async (dialect) => {
  const flags = ['-DLIBRARY', '-fPIC', '-shared', `-mtls-dialect=${dialect}`];
  const library = workloads.compile('otel-spans', { name: `libloaded-${dialect}.so`, flags });
  const loading = workloads.compile('otel-spans', { name: `loading-${dialect}`, flags: ['-DLOADED', '-ldl'] });
  await expectSpans(loading, [library]);
});
