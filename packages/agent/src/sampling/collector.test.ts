import { expect, test } from 'vitest';

import { LossCounters } from '../health/counters.ts';
import {
  copyBytes,
  copyOffset,
  endComplete,
  endDepth,
  endStale,
  flagCopied,
  flagKernelFailed,
  flagKernelThread,
  flagKernelTruncated,
  labelsCutKey,
  labelsCutRoom,
  sampleBytes,
  sampleOffset,
} from '../kernel/generated/abi.ts';
import { ProcessTable } from '../processes/process-table.ts';
import type { ProcessMapping } from '../processes/process.ts';
import type { TableModule } from '../tables/table-store.ts';
import { Collector, type CollectorOptions, type SampleSource } from './collector.ts';
import { IntervalSamples } from './interval-samples.ts';

const ms = 1e6;

/** What the kernel would have written; times in milliseconds. */
class PlantedSource implements SampleSource {
  readonly #words = new Uint32Array(1 << 18);
  readonly samples = {
    words: this.#words,
    bytes: new Uint8Array(this.#words.buffer),
    read: (take: (offset: number, length: number) => boolean): void => {
      for (let next = this.#samples[0]; next !== undefined; next = this.#samples[0]) {
        if (!take(next.offset, next.length)) return;
        this.#samples.shift();
      }
    },
    release: (): void => undefined,
  };
  #samples: { offset: number; length: number }[] = [];
  #records: DataView[] = [];
  #end = 0;

  sample(
    atMs: number,
    pid: number,
    comm: string,
    user: readonly bigint[],
    flags = 0,
    generation = 0,
    threadPointer = 0n,
  ): void {
    const { words } = this.samples;
    const bytes = Buffer.from(words.buffer);
    const offset = this.#end;
    bytes.writeBigUInt64LE(BigInt(atMs * ms), offset + sampleOffset.timeNs);
    bytes.writeBigUInt64LE(threadPointer, offset + sampleOffset.threadPointer);
    bytes.writeUInt32LE(pid, offset + sampleOffset.pid);
    bytes.writeUInt32LE(pid, offset + sampleOffset.tid);
    // Each from a CPU of its own, of which it is the first: they may come in any order.
    bytes.writeUInt32LE(offset, offset + sampleOffset.cpu);
    bytes.writeUInt32LE(flags, offset + sampleOffset.flags);
    bytes.writeUInt16LE(user.length, offset + sampleOffset.userFrames);
    bytes.writeUInt8(endComplete, offset + sampleOffset.userEnd);
    bytes.writeUInt32LE(generation, offset + sampleOffset.generation);
    bytes.write(comm, offset + sampleOffset.comm);
    for (const [i, address] of user.entries()) bytes.writeBigUInt64LE(address, offset + sampleBytes + 8 * i);
    const length = sampleBytes + 8 * user.length;
    this.#samples.push({ offset, length });
    this.#end += length;
  }

  /** A sample whose stack was copied; the copy is of 8 bytes. */
  copy(atMs: number, pid: number, comm: string, pc: bigint): void {
    const offset = this.#end;
    this.sample(atMs, pid, comm, [], flagCopied);
    const bytes = Buffer.from(this.samples.words.buffer);
    bytes.writeUInt32LE(8, offset + sampleOffset.copyBytes);
    bytes.writeBigUInt64LE(pc, offset + sampleBytes + copyOffset.pc);
    this.#end += copyBytes + 8;
  }

  /** Puts labels behind the last sample, which the kernel part knew the process of. */
  label(words: readonly number[]): void {
    const last = this.#samples.at(-1);
    if (last === undefined) throw new Error('no sample to label');
    const bytes = Buffer.from(this.samples.words.buffer);
    bytes.writeUInt16LE(words.length / 2, last.offset + sampleOffset.labelWords);
    bytes.writeUInt32LE(1, last.offset + sampleOffset.generation);
    this.samples.words.set(words, this.#end >> 2);
    this.#end += 4 * words.length;
  }

  #record(type: number, misc: number, atMs: number, body: Uint8Array): void {
    const bytes = Buffer.alloc(8 + body.length + 8);
    bytes.writeUInt32LE(type, 0);
    bytes.writeUInt16LE(misc, 4);
    bytes.writeUInt16LE(bytes.length, 6);
    bytes.set(body, 8);
    bytes.writeBigUInt64LE(BigInt(atMs * ms), bytes.length - 8);
    this.#records.push(new DataView(bytes.buffer, bytes.byteOffset, bytes.length));
  }

  fork(atMs: number, pid: number, parentPid: number): void {
    this.#record(7, 0, atMs, new Uint8Array(Uint32Array.of(pid, parentPid, pid, parentPid, 0, 0).buffer));
  }

  exec(atMs: number, pid: number, comm: string): void {
    const name = Buffer.alloc(16);
    name.write(comm);
    this.#record(3, 1 << 13, atMs, Buffer.concat([new Uint8Array(Uint32Array.of(pid, pid).buffer), name]));
  }

  mmap(atMs: number, pid: number, path: string, start: bigint): void {
    const body = Buffer.alloc(64 + 32);
    body.writeUInt32LE(pid, 0);
    body.writeBigUInt64LE(start, 8);
    body.writeBigUInt64LE(0x1000n, 16);
    body.write(path, 64);
    this.#record(10, 0, atMs, body);
  }

  readRecords(take: (view: DataView, offset: number, size: number) => void): void {
    for (const view of this.#records.splice(0)) take(view, 0, view.byteLength);
  }
}

interface Stage {
  readonly source: PlantedSource;
  readonly losses: LossCounters;
  readonly collector: Collector;
  /** `executable comm xN` of each sample of the intervals that are over, an interval a text. */
  readonly drain: (nowMs: number, isLast?: boolean) => string[];
  readonly prepared: string[];
  readonly identified: string[];
  readonly stacks: PlantedStacks;
}

type Stacks = CollectorOptions['stacks'];

/** Tables that come when the test says so, and a generation of mappings that was another. */
class PlantedStacks implements Stacks {
  onSettled: (module: TableModule) => void = () => undefined;
  readonly missing: TableModule = {
    key: 'm',
    state: { kind: 'loading' },
    segments: [],
    runtime: undefined,
    goLabels: undefined,
    usedMs: 0,
  };
  isMissing = false;
  unwound: {
    addresses: number[];
    notes: { low: number; high: number }[][];
    guessedFrom: number;
    end: number;
    lacksLabels: boolean;
  } = {
    notes: [],
    addresses: [],
    guessedFrom: 0,
    end: endComplete,
    lacksLabels: false,
  };
  before: readonly ProcessMapping[] | undefined;
  seen = 0;
  distrusted = 0;
  touched = 0;
  flushed = 0;

  unwind(): typeof this.unwound | { readonly module: TableModule } {
    return this.isMissing ? { module: this.missing } : this.unwound;
  }

  see(): void {
    this.seen++;
  }

  touch(): void {
    this.touched++;
  }

  distrust(): void {
    this.distrusted++;
  }

  otherMappingsOf(): readonly ProcessMapping[] | undefined {
    return this.before;
  }

  flush(): void {
    this.flushed++;
  }
}

/** A collector from 0 ms on, with intervals of 100 ms. No process is known, and /proc is empty. */
function stage(threadLabel: CollectorOptions['runtimes']['threadLabel'] = () => 'none'): Stage {
  const source = new PlantedSource();
  const losses = new LossCounters();
  const prepared: string[] = [];
  const identified: string[] = [];
  const stacks = new PlantedStacks();
  const collector = new Collector(
    {
      stacks,
      source,
      losses,
      table: new ProcessTable({ losses, procRoot: '/nonexistent' }),
      contexts: { begin: () => undefined, see: () => undefined },
      runtimes: { see: () => undefined, refresh: () => undefined, threadLabel },
      symbolizer: { prepare: (process, mapping) => prepared.push(`${process.pid} ${mapping.path}`) },
      identify: (member) => {
        member.labels = {};
        identified.push(member.image.executableName);
      },
      nextInterval: (startNs) => ({ samples: new IntervalSamples(startNs, 0n), endNs: startNs + 100 * ms }),
    },
    0,
  );
  const drain = (nowMs: number, isLast = false): string[] =>
    collector.drain(nowMs * ms, isLast).map((interval) =>
      Array.from({ length: interval.sampleCount }, (_, row) => {
        const { stack, thread, count } = interval.sample(row);
        const image = interval.images[interval.stack(stack).image];
        return `${image?.executableName} ${interval.thread(thread).comm} x${count}`;
      }).join(', '),
    );
  return { source, losses, collector, drain, prepared, identified, stacks };
}

test('a sample is the program’s that ran at its instant, whatever came to be known since', () => {
  const { source, drain, identified } = stage();
  source.fork(1, 20, 10);
  source.exec(10, 20, 'one');
  source.mmap(11, 20, '/bin/one', 0x1000n);
  source.sample(12, 20, 'one', [0x1100n]);
  source.exec(20, 20, 'two');
  source.mmap(21, 20, '/bin/two', 0x1000n);
  source.sample(22, 20, 'two', [0x1100n]);
  source.fork(30, 20, 10);
  source.exec(31, 20, 'three');
  source.mmap(31, 20, '/bin/three', 0x1000n);
  source.sample(32, 20, 'three', [0x1100n]);
  expect(drain(50, true)).toEqual(['one one x1, two two x1, three three x1']);
  expect(identified).toEqual(['one', 'two', 'three']);
});

test('records and samples of several CPUs are put in order of time', () => {
  const { source, drain } = stage();
  source.exec(20, 20, 'late');
  source.mmap(21, 20, '/bin/late', 0x1000n);
  source.fork(1, 20, 10);
  source.exec(10, 20, 'early');
  source.mmap(11, 20, '/bin/early', 0x1000n);
  source.sample(25, 20, 'b', [0x1100n]);
  source.sample(15, 20, 'a', [0x1100n]);
  expect(drain(50, true)).toEqual(['early a x1, late b x1']);
});

test('what is younger than five milliseconds waits for records that may still come', () => {
  const { source, drain } = stage();
  source.fork(1, 20, 10);
  source.exec(2, 20, 'before');
  source.mmap(2, 20, '/bin/before', 0x1000n);
  source.sample(48, 20, 'x', [0x1100n]);
  expect(drain(50)).toEqual([]);
  // Written by another CPU only now, but older than the sample.
  source.exec(47, 20, 'after');
  source.mmap(47, 20, '/bin/after', 0x1000n);
  expect(drain(60, true)).toEqual(['after x x1']);
});

test('equal samples are counted, others are kept apart by stack and by thread name', () => {
  const { source, drain } = stage();
  source.fork(1, 20, 10);
  for (let i = 0; i < 5; i++) source.sample(2 + i, 20, 'a', [0x1100n, 0x2000n]);
  source.sample(8, 20, 'a', [0x1100n, 0x2001n]);
  source.sample(9, 20, 'b', [0x1100n, 0x2000n]);
  expect(drain(50, true)[0]?.match(/x\d/gu)).toEqual(['x5', 'x1', 'x1']);
});

test('a sample on the boundary is the next interval’s, and an interval without samples is one, too', () => {
  const { source, collector } = stage();
  source.sample(99, 20, 'a', []);
  source.sample(100, 20, 'a', []);
  source.sample(350, 20, 'a', []);
  const over = collector.drain(500 * ms, true);
  expect(over.map((each) => [each.startNs / ms, each.endNs / ms, each.total])).toEqual([
    [0, 100, 1],
    [100, 200, 1],
    [200, 300, 0],
    [300, 500, 1],
  ]);
});

test('a mapping is told of at its first hit only, and a program once it has an executable', () => {
  const { source, drain, prepared, identified } = stage();
  source.fork(1, 20, 10);
  source.exec(2, 20, 'tool');
  source.sample(3, 20, 'tool', []);
  drain(10);
  expect(identified).toEqual([]);
  source.mmap(20, 20, '/bin/tool', 0x1000n);
  source.mmap(21, 20, '/lib/libc.so', 0x5000n);
  source.sample(22, 20, 'tool', [0x5100n, 0x1100n, 0x9999n]);
  source.sample(23, 20, 'tool', [0x5200n, 0x1100n]);
  drain(50);
  expect(prepared).toEqual(['20 /lib/libc.so', '20 /bin/tool']);
  expect(identified).toEqual(['tool']);
});

test('what the kernel could not read or cut is counted, and the sample kept', () => {
  const { source, drain, losses } = stage();
  source.sample(1, 20, 'a', [], flagKernelFailed);
  source.sample(2, 20, 'a', [0x1n], flagKernelTruncated);
  source.sample(3, 2, 'kthreadd', [], flagKernelThread);
  expect(drain(50, true)).toEqual(['a a x1, a a x1, [kthreadd] kthreadd x1']);
  expect(countedIn(losses)).toEqual(['samples_lost/copy_failed 1', 'stacks_truncated/kernel_depth 1']);
});

test('a copied stack has its frames at once where the tables are there', () => {
  const { source, collector, stacks } = stage();
  source.copy(1, 20, 'a', 0x1100n);
  stacks.unwound = { ...stacks.unwound, addresses: [0x1100, 0x7fff_0000_2000], guessedFrom: 1 };
  const [interval] = collector.drain(50 * ms, true);
  expect(interval?.total).toBe(1);
  expect(stacks.seen).toBe(1);
  const { userFrames, guessedFrom, userEnd, frames } = interval?.stack(0) ?? {};
  expect({ userFrames, guessedFrom, userEnd }).toEqual({ userFrames: 2, guessedFrom: 1, userEnd: endComplete });
  expect([...(frames ?? [])]).toEqual([0x1100, 0, 0x2000, 0x7fff]);
});

test('what a runtime calls a thread is asked for while it lives, with what tells it there', () => {
  const asked: string[] = [];
  const { source, collector } = stage(({ pid }, tid, threadPointer) => {
    asked.push(`${pid}/${tid} ${threadPointer.toString(16)}`);
    return asked.length === 1 ? 'none' : { key: 'python_thread_name', text: 'worker' };
  });
  for (const atMs of [1, 2, 20, 40]) {
    source.sample(atMs, 20, 'a', [0x1100n], 0, 0, 0x7f12_3456_7700n);
    collector.drain((atMs + 8) * ms);
  }
  const [interval] = collector.drain(50 * ms, true);
  // At the second drain it had its name.
  expect(asked).toEqual(['20/20 7f1234567700', '20/20 7f1234567700']);
  expect(interval?.threadLabels.of(0)?.text).toBe('worker');
});

test('labels lie behind frames and behind copies, tell samples apart, and what was cut of them is counted', () => {
  const { source, collector, losses } = stage();
  source.sample(1, 20, 'a', [0x1100n]);
  source.label([1, labelsCutKey, 7, 8]);
  source.sample(2, 20, 'a', [0x1100n]);
  source.label([1, 0, 7, 9]);
  source.sample(3, 20, 'a', [0x1100n]);
  source.label([1, labelsCutKey, 7, 8]);
  source.sample(4, 20, 'a', [0x1100n]);
  source.copy(5, 20, 'a', 0x1100n);
  source.label([1, labelsCutRoom, 7, 9]);
  const [interval] = collector.drain(50 * ms, true);
  if (interval === undefined) throw new Error('no interval');
  const seen = Array.from({ length: interval.sampleCount }, (_, row) => {
    const { labels, count } = interval.sample(row);
    return `${[...interval.labels(labels)].join(' ')} x${count}`;
  });
  expect(seen).toEqual([`1 ${labelsCutKey} 7 8 x2`, '1 0 7 9 x1', ' x1', `1 ${labelsCutRoom} 7 9 x1`]);
  expect(interval.stackCount).toBe(2);
  expect(countedIn(losses)).toEqual(['labels_cut/key 2', 'labels_cut/room 1']);
});

test('labels of a copy that waits for a table stay with it; those that were not looked for are counted', () => {
  const { source, collector, stacks, losses } = stage();
  source.copy(1, 20, 'a', 0x1100n);
  source.label([1, 0, 7, 9]);
  stacks.isMissing = true;
  const [interval] = collector.drain(50 * ms, true);
  expect(interval?.total).toBe(0);
  // The ring has something else there by now.
  source.samples.words.fill(5);
  stacks.isMissing = false;
  stacks.unwound = { ...stacks.unwound, addresses: [0x1100], lacksLabels: true };
  stacks.onSettled(stacks.missing);
  expect([...(interval?.labels(interval.sample(0).labels) ?? [])]).toEqual([1, 0, 7, 9]);
  expect(countedIn(losses)).toEqual(['labels_cut/copied 1']);
});

test('sets of labels are bounded; those that are known go on', () => {
  const { source, collector, losses } = stage();
  let labelled = 0;
  for (let i = 0; i < 10_010; i++) {
    source.sample(1, 20, 'a', [0x1100n]);
    source.label([1, 0, 7, i]);
    if (i % 500 === 499) collector.drain(6 * ms);
  }
  source.sample(1, 20, 'a', [0x1100n]);
  source.label([1, 0, 7, 3]);
  const [interval] = collector.drain(50 * ms, true);
  if (interval === undefined) throw new Error('no interval');
  for (let row = 0; row < interval.sampleCount; row++) {
    const { labels, count } = interval.sample(row);
    if (labels !== 0) labelled += count;
  }
  expect(interval.total).toBe(10_011);
  expect(labelled).toBe(10_000);
  expect(countedIn(losses)).toEqual(['labels_cut/sets 11']);
});

test('a copied stack whose notes leave no room for its root says so', () => {
  const { source, collector, stacks } = stage();
  source.copy(1, 20, 'a', 0x1100n);
  const notes = Array.from({ length: 600 }, (_, i) => ({ low: i, high: 0x4000_0000 }));
  stacks.unwound = { ...stacks.unwound, notes: [notes], addresses: [0x1100, 0x1200], guessedFrom: 2 };
  const [interval] = collector.drain(50 * ms, true);
  const { userFrames, guessedFrom, userEnd } = interval?.stack(0) ?? {};
  expect({ userFrames, guessedFrom, userEnd }).toEqual({ userFrames: 512, guessedFrom: 512, userEnd: endDepth });
});

test('a copied stack waits for its table, and its interval for it', async () => {
  const { source, collector, stacks, identified } = stage();
  stacks.isMissing = true;
  source.fork(1, 20, 10);
  source.exec(2, 20, 'tool');
  source.mmap(3, 20, '/bin/tool', 0x1000n);
  source.copy(4, 20, 'a', 0x1100n);
  const [interval] = collector.drain(50 * ms, true);
  if (interval === undefined) throw new Error('no interval');
  // Who it is was asked while it may still live.
  expect({ total: interval.total, identified }).toEqual({ total: 0, identified: ['tool'] });
  let isSettled = false;
  const settled = collector.settle(interval).then(() => {
    isSettled = true;
  });
  await Promise.resolve();
  expect(isSettled).toBe(false);
  stacks.isMissing = false;
  stacks.onSettled(stacks.missing);
  await settled;
  expect(interval.total).toBe(1);
});

test('a stack that was unwound by mappings of before ends where they meant something else', () => {
  const { source, collector, stacks, losses } = stage();
  source.fork(1, 20, 10);
  source.exec(2, 20, 'tool');
  source.mmap(3, 20, '/bin/tool', 0x1000n);
  source.mmap(4, 20, '/lib/new.so', 0x5000n);
  source.sample(5, 20, 'a', [0x1100n, 0x5100n, 0x1200n], 0, 7);
  const at = { fileOffset: 0n, buildId: '', device: '00:00', inode: 0n };
  stacks.before = [
    { ...at, start: 0x1000n, end: 0x2000n, path: '/bin/tool' },
    { ...at, start: 0x5000n, end: 0x6000n, path: '/lib/old.so' },
  ];
  const [interval] = collector.drain(50 * ms, true);
  const { userFrames, userEnd } = interval?.stack(0) ?? {};
  expect({ userFrames, userEnd }).toEqual({ userFrames: 1, userEnd: endStale });
  expect(countedIn(losses)).toEqual(['stacks_truncated/stale_mapping 1']);
  expect(stacks.distrusted).toBe(1);
});

function countedIn(losses: LossCounters): string[] {
  const counted = losses.rows().filter((row) => row.total > 0);
  return counted.map((row) => `${row.name}/${row.cause} ${row.total}`);
}
