import { expect, test } from 'vitest';

import { ProcessImage } from '../processes/process-image.ts';
import { readProgramLabels } from '../runtimes/program-labels.ts';
import { IntervalSamples, type SampleInRing } from './interval-samples.ts';

const image = new ProcessImage({
  pid: 7,
  parentPid: 1,
  startTimeNs: 1n,
  comm: 'shop',
  isKernelThread: false,
  executablePath: '/bin/shop',
  mappings: [],
  parent: undefined,
});

/** A sample under span `span`, whose context has an attribute, too. */
function sampleOf(span: number): SampleInRing {
  const context = Buffer.alloc(40);
  context.writeUInt32LE(9, 0);
  context.writeUInt32BE(span, 20);
  context[24] = 1;
  context.writeUInt16LE(3, 26);
  context.set([0, 1, 0x61], 28);
  const labels = Uint32Array.of(0, 31 << 16, ...new Uint32Array(new Uint8Array(context.subarray(0, 32)).buffer));
  const words = new Uint32Array(6 + labels.length);
  words.set(labels, 6);
  const place = { image, mappings: [], tid: 7, threadPointer: 0, cgroupAt: 0, commAt: 2, framesAt: 6 };
  const stack = { kernelFrames: 0, userFrames: 0, guessedFrom: 0, userEnd: 1 };
  return { ...place, ...stack, words, labelsAt: 6, labelWords: labels.length };
}

test('spans of an interval are bounded: samples of further ones keep what else they are labelled with', () => {
  const samples = new IntervalSamples(0, 0n);
  const without: number[] = [];
  for (let span = 1; span <= 5000; span++) if (!samples.add(sampleOf(span)).hasSpan) without.push(span);
  expect([without[0], without.length]).toEqual([4097, 5000 - 4096]);
  // One that is known goes on.
  expect(samples.add(sampleOf(1)).hasSpan).toBe(true);
  const labelsOf = (row: number): string[] =>
    readProgramLabels(samples.labels(samples.sample(row).labels), [], ['route']).map(
      ({ key, text }) => `${key}=${text}`,
    );
  expect(labelsOf(0)).toEqual(['trace_id=09000000000000000000000000000000', 'span_id=0000000000000001', 'route=a']);
  expect(labelsOf(samples.sampleCount - 1)).toEqual(['route=a']);
  expect(samples.sample(samples.sampleCount - 1).count).toBe(without.length);
});
