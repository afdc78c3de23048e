// What names cost the agent: `node test/bench/symbols.bench.ts [FILE…]`. Each file in a process of its own that runs as the agent does: the kernel's symbols and the
// file's are read by the workers, then addresses all over its code are looked up. Resident memory is what came on top of a process without a symbolizer.
import { execFileSync } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { createSymbolizer, LossCounters } from '@everflame/agent';
import { FileSource, readBuildIds, readElfFile, readElfFunctions } from '@everflame/binary';
import runtime from '../../packages/cli/src/agent-runtime.json' with { type: 'json' };

const libraries = '/usr/lib/x86_64-linux-gnu';
const usual = [`${libraries}/libc.so.6`, process.execPath, `${libraries}/libLLVM-14.so.1`, '/usr/local/go/bin/go'];
const [mode, ...rest] = process.argv.slice(2);
const megabytes = (bytes: number): string => (bytes / 1024 / 1024).toFixed(1).padStart(6);

/** Highest resident memory of this process so far. */
function peakBytes(): number {
  return process.resourceUsage().maxRSS * 1024;
}

async function measure(path: string): Promise<void> {
  const fd = openSync(path, 'r');
  const elf = readElfFile(new FileSource(fd));
  if (!elf.ok) throw new Error(elf.error.detail);
  const buildId = readBuildIds(elf.value).gnu;
  const text = elf.value.sections.find(({ name }) => name === '.text');
  const segment = elf.value.segments.find(
    ({ type, virtualAddress, fileSize }) =>
      type === 1 &&
      text !== undefined &&
      text.virtualAddress >= virtualAddress &&
      text.virtualAddress < virtualAddress + BigInt(fileSize),
  );
  closeSync(fd);
  if (text === undefined || segment === undefined) throw new Error(`no code in ${path}`);
  const start = 0x7f00_0000_0000n;
  const fileOffset = BigInt(segment.fileOffset);
  const end = start + BigInt(segment.fileSize);
  const mapping = { start, end, fileOffset, path, buildId, device: '0:0', inode: 0n };
  const view = {
    pid: 2 ** 22 + 1,
    namespacePid: 1,
    startTimeNs: 1n,
    executablePath: path,
    executableName: 'bench',
    mappings: [mapping],
    isKernelThread: false,
  };
  const before = process.memoryUsage.rss();
  const lossCounters = new LossCounters();
  const symbolizer = createSymbolizer({ lossCounters, debugDirectory: '/nowhere' });
  await symbolizer.resolveKernel(BigUint64Array.of(0xffff_ffff_8100_0000n), Uint8Array.of(1));
  await sleep(1000);
  const withKernel = process.memoryUsage.rss();
  const kernelPeak = peakBytes();
  const started = performance.now();
  const addressOf = (i: number, count: number): bigint =>
    start + text.virtualAddress - segment.virtualAddress + BigInt(Math.floor((i / count) * text.size));
  const one = BigUint64Array.of(addressOf(1, 2));
  const [first] = await symbolizer.resolveUser(view, one, Uint8Array.of(1));
  const loadMs = performance.now() - started;
  const count = 20_000;
  const addresses = BigUint64Array.from({ length: count }, (_, i) => addressOf(i, count));
  const lookUpStarted = performance.now();
  const found = await symbolizer.resolveUser(view, addresses, new Uint8Array(count).fill(1));
  const lookUpMs = performance.now() - lookUpStarted;
  const named = found.filter(({ kind }) => kind === 'native').length;
  await sleep(1000);
  const after = process.memoryUsage.rss();
  const statistics = await symbolizer.statistics();
  const bytes = statistics?.moduleBytes ?? 0;
  await symbolizer.close();
  const functions = countOf(path);
  console.log(
    `${path}\n  ${functions} functions, ${(bytes / Math.max(1, functions)).toFixed(1)} bytes each resident; first name after ${loadMs.toFixed(0)} ms,` +
      ` ${((count / lookUpMs) * 1000).toFixed(0)} look-ups a second (${((named / count) * 100).toFixed(0)} % named)\n` +
      `  resident: kernel's symbols ${megabytes(withKernel - before)} MB (peak ${megabytes(kernelPeak - before)}, table ${megabytes(statistics?.kernelBytes ?? 0)}),` +
      ` this file and ${count} locations ${megabytes(after - withKernel)} MB (peak of all ${megabytes(peakBytes() - before)}), process ${megabytes(after)} MB; ${first?.lines[0]?.name ?? ''}`,
  );
}

function countOf(path: string): number {
  const fd = openSync(path, 'r');
  const elf = readElfFile(new FileSource(fd));
  const functions = elf.ok ? readElfFunctions(elf.value) : elf;
  closeSync(fd);
  return functions.ok ? functions.value.length : 0;
}

if (mode === '--one') {
  await measure(rest[0] ?? '');
} else {
  const files = mode === undefined ? usual.filter((each) => existsSync(each)) : [mode, ...rest];
  for (const file of files) {
    const args = [...runtime.flags, import.meta.filename, '--one', file];
    const env = { ...process.env, ...runtime.environment };
    process.stdout.write(execFileSync(process.execPath, args, { encoding: 'utf8', env }));
  }
}
