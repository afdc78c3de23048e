// Captures stacks of test/workloads/unwind-shapes.c under gdb and writes those of interest to test/corpus/unwind/vectors, with gdb's frames as what is
// expected: `node test/judges/make-unwind-vectors.ts`. What differs from gdb is not written.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sparseTables, unwindStack, type UnwindVector, WordMemory } from '@everflame/binary';
import { captureState, captureWithGdb, captureWords, expectedAddresses, type GdbCapture } from './gdb-capture.ts';
import { ProcessTables } from './process-tables.ts';

const target = join(import.meta.dirname, '../corpus/unwind/vectors');
const folder = mkdtempSync(join(tmpdir(), 'everflame-vectors-'));
const program = join(folder, 'shapes');
const has = (name: string) => (capture: GdbCapture) => capture.frames.some((frame) => frame.name === name);
const leaf = (name: string) => (capture: GdbCapture) => capture.frames[0]?.name === name;

const wanted: readonly { file: string; name: string; match: (capture: GdbCapture) => boolean }[] = [
  { file: 'chain', name: 'a chain without frame pointers', match: leaf('chain') },
  { file: 'resolver', name: 'the lazy resolver, whose CFA counts from rbx', match: leaf('do_lookup_x') },
  { file: 'signal', name: 'a signal handler', match: has('on_signal') },
  { file: 'wide', name: 'a frame of 200 KB', match: (each) => has('wide')(each) && !leaf('wide')(each) },
  { file: 'realigned', name: 'a realigned stack', match: (each) => has('realigned')(each) && leaf('leaf')(each) },
  { file: 'variable', name: 'a frame of variable size', match: (each) => has('variable')(each) && leaf('leaf')(each) },
  { file: 'callback', name: 'a callback of qsort', match: leaf('compare') },
  { file: 'vfork', name: 'vfork, whose return address is in a register', match: leaf('__libc_vfork') },
  { file: 'exit', name: 'functions run at exit', match: has('_IO_cleanup') },
];

try {
  execFileSync('gcc', [
    '-O2',
    '-fomit-frame-pointer',
    '-Wl,-z,lazy',
    '-pthread',
    '-o',
    program,
    join(import.meta.dirname, '../workloads/unwind-shapes.c'),
  ]);
  const options = { out: join(folder, 'captures'), start: 'main', count: 100_000, stride: 2 };
  const captures = captureWithGdb([program], options).filter(({ reason }) => reason === 'outermost');
  const tables = new ProcessTables();
  mkdirSync(target, { recursive: true });
  for (const { file, name, match } of wanted) {
    const matching = captures.filter((each) => match(each));
    const capture = matching[Math.floor(matching.length / 2)];
    if (capture === undefined) throw new Error(`no capture of ${name}`);
    const mappings = tables.mappings(capture.mappings);
    const state = captureState(capture);
    const memory = new WordMemory(captureWords(capture));
    const { addresses, end } = unwindStack(state, memory, mappings, 512);
    const expected = expectedAddresses(capture);
    if (end !== 'complete' || addresses.join() !== expected.join()) throw new Error(`${name}: not gdb's frames`);
    const start = captureState(capture);
    const hex = (value: number | bigint): string => `0x${value.toString(16)}`;
    const vector: UnwindVector = {
      name: `${name} (unwind-shapes.c, gcc and glibc of Debian 12, captured by gdb)`,
      machine: 62,
      pc: hex(start.pc),
      registers: [...start.registers.subarray(0, 16)].map((each) => hex(each)),
      memory: [...memory.loaded].map(([address, word]) => [hex(address), hex(word)]),
      ...sparseTables(mappings, addresses),
      expected: { judge: 'gdb', addresses: expected.map((each) => hex(each)), end: 'complete' },
    };
    writeFileSync(join(target, `x86_64-${file}.json`), `${JSON.stringify(vector, undefined, 1)}\n`);
    console.log(`${file}: ${addresses.length} frames, ${vector.memory.length} words`);
  }
} finally {
  rmSync(folder, { recursive: true });
}
