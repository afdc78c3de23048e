/**
 * Speed of the pprof codec, in MB of message per second, beside protobufjs in the same run (its reflection decoder builds
 * objects; ours checks and interns on the way). Run: `node test/bench/pprof-codec.bench.ts [seconds per figure]`.
 */
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { decodeProfile, encodeProfile, type Profile, ProfileBuilder } from '@everflame/profile';
import { pprofCorpus } from '../corpus/pprof/corpus.ts';
import { PprofMessage } from '../corpus/pprof/protobufjs-pprof.ts';

const seconds = Number(process.argv[2] ?? 1);

/** A small, fast, seeded generator (mulberry32), so that every run sees the same profile. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b_79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

/** What a busy host sends in ten seconds and more: stacks of about 30 frames in 4,000 functions, thread labels. */
function large(samples: number): Profile {
  const next = random(1);
  const builder = new ProfileBuilder({
    sampleTypes: [
      { type: 'samples', unit: 'count' },
      { type: 'cpu', unit: 'nanoseconds' },
    ],
  });
  const mapping = builder.mapping({ file: '/usr/bin/service', buildId: 'f'.repeat(40), memoryLimit: 1n << 24n });
  const locations = Array.from({ length: 8000 }, (_, i) => {
    const named = builder.function({
      name: `service::module_${i % 97}::function_${i >> 1}`,
      file: `src/module_${i % 97}.cc`,
    });
    return builder.location({ mapping, address: BigInt(0x1000 + i * 48), lines: [{ function: named, line: i % 500 }] });
  });
  for (let i = 0; i < samples; i++) {
    let stack = 0;
    let at = 0;
    const depth = 10 + Math.floor(next() * 40);
    // Near the root few ways, near the leaf many: as call trees are.
    for (let d = 0; d < depth; d++) {
      at = (at * 7 + 1 + Math.floor(next() * (1 + d / 8))) % locations.length;
      stack = builder.stack(stack, locations[at] ?? 1);
    }
    const thread = Math.floor(next() * 16);
    const labels = builder.labelSet([
      { key: 'process_pid', text: String(1000 + (thread >> 2)) },
      { key: 'thread_name', text: `worker-${thread}` },
    ]);
    builder.add(stack, labels, [1n, 10_101_010n]);
  }
  return builder.build();
}

/** Best MB/s of many runs within the time given: what the machine's other work costs falls away. */
function speed(byteCount: number, run: () => unknown): number {
  const until = performance.now() + seconds * 1000;
  let best = Number.POSITIVE_INFINITY;
  while (performance.now() < until) {
    const start = performance.now();
    run();
    best = Math.min(best, performance.now() - start);
  }
  return byteCount / 1e6 / (best / 1e3);
}

function decoded(bytes: Uint8Array): Profile {
  const result = decodeProfile(bytes);
  if (!result.ok) throw new Error(result.error.message);
  return result.profile;
}

const inputs = [
  { name: 'large (50,000 samples)', bytes: encodeProfile(large(50_000)) },
  ...pprofCorpus()
    .filter(({ name }) => /go-.*\/(cpu|heap)\.pb\.gz|austin/.test(name))
    .map(({ name, bytes }) => ({ name, bytes })),
];
const load = readFileSync('/proc/loadavg', 'utf8').split(' ')[0];
console.log(`Node.js ${process.version}, ${cpus()[0]?.model ?? 'unknown CPU'} × ${cpus().length}, load ${load}`);
console.log('MB/s, best run; × is ours ÷ protobufjs');
const cell = (value: number): string => value.toFixed(1).padStart(9);
console.log(`${'profile'.padEnd(28)}${'bytes'.padStart(10)}   decode  protobufjs      ×   encode  protobufjs      ×`);
for (const { name, bytes } of inputs) {
  const profile = decoded(bytes);
  const message = PprofMessage.decode(bytes);
  const ourDecode = speed(bytes.length, () => decoded(bytes));
  const theirDecode = speed(bytes.length, () => PprofMessage.decode(bytes));
  const ourEncode = speed(bytes.length, () => encodeProfile(profile));
  const theirEncode = speed(bytes.length, () => PprofMessage.encode(message).finish());
  const ratios = [ourDecode / theirDecode, ourEncode / theirEncode].map((ratio) => ratio.toFixed(1).padStart(7));
  console.log(
    `${name.padEnd(28)}${String(bytes.length).padStart(10)}${cell(ourDecode)}   ${cell(theirDecode)}${ratios[0]}${cell(ourEncode)}   ${cell(theirEncode)}${ratios[1]}`,
  );
}
