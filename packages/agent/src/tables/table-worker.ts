/** The thread that makes unwind tables and puts them into the kernel: both take too long for the thread that samples. */
import { parentPort } from 'node:worker_threads';
import {
  asResult,
  type BinaryResult,
  BufferSource,
  type ElfFile,
  type ElfSegment,
  FileSource,
  readBuildIds,
  readElfFile,
  readGoLabels,
  readThreadContextSymbol,
  readUnwindTable,
  readPythonSymbols,
  readV8Symbols,
  segmentFlags,
  segmentTypes,
  type UnwindTable,
} from '@everflame/binary';
import { endOfWork } from '../end-worker.ts';
import { GarbageCollector } from '../garbage.ts';
import { dropKernelTable, putKernelTable } from '../kernel/kernel-table.ts';
import { TableCache } from './table-cache.ts';
import type { TableContent, TableReply, TableRequest } from './table-messages.ts';

const port = parentPort;
if (port === null) throw new Error('table-worker.ts runs as a worker thread');
const garbage = new GarbageCollector();
const caches = new Map<string, TableCache>();

port.on('message', (request: TableRequest | typeof endOfWork) => {
  // oxlint-disable-next-line unicorn/no-process-exit -- of this thread alone
  if (request === endOfWork) process.exit();
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  port.postMessage(answer(request));
  garbage.schedule();
});

function answer(request: TableRequest): TableReply {
  switch (request.kind) {
    case 'identify':
      return identify(request);
    case 'thread_context':
      return threadContext(request);
    case 'make':
      return make(request);
    case 'drop':
      dropKernelTable(request.tablesFd, request.slot, request.mapFd);
      return { status: 'dropped', id: request.id };
  }
}

function open(content: TableContent): BinaryResult<ElfFile> {
  const source = asResult(() => ('image' in content ? new BufferSource(content.image) : new FileSource(content.fd)));
  return source.ok ? readElfFile(source.value) : source;
}

function identify({ id, content, expectedBuildId }: TableRequest & { kind: 'identify' }): TableReply {
  const elf = open(content);
  if (!elf.ok) return { status: 'none', id, cause: elf.error.code === 'not_elf' ? undefined : 'malformed_elf' };
  const buildId = readBuildIds(elf.value).gnu;
  if (expectedBuildId !== '' && buildId !== expectedBuildId) return { status: 'none', id, cause: 'file_changed' };
  const segments = executableSegments(elf.value);
  const [v8, python, go] = [readV8Symbols(elf.value), readPythonSymbols(elf.value), readGoLabels(elf.value)];
  // Where they are damaged, native frames remain, without labels.
  const runtimes = { v8: v8.ok ? v8.value : undefined, python: python.ok ? python.value : undefined };
  const goLabels = go.ok ? go.value : undefined;
  return { status: 'identified', id, buildId, size: elf.value.source.size, segments, runtimes, goLabels };
}

function threadContext({ id, content }: TableRequest & { kind: 'thread_context' }): TableReply {
  const elf = open(content);
  const symbol = elf.ok ? readThreadContextSymbol(elf.value) : elf;
  // Files that are damaged are counted where their tables are made.
  if (!elf.ok || !symbol.ok || symbol.value === undefined) return { status: 'none', id, cause: undefined };
  return { status: 'thread_context', id, symbol: symbol.value, segments: executableSegments(elf.value) };
}

function executableSegments({ segments }: ElfFile): ElfSegment[] {
  return segments.filter(({ type, flags }) => type === segmentTypes.load && (flags & segmentFlags.execute) !== 0);
}

function make({ id, content, cacheDirectory, tablesFd, slot }: TableRequest & { kind: 'make' }): TableReply {
  const elf = open(content);
  if (!elf.ok) return { status: 'none', id, cause: 'malformed_elf' };
  const buildId = readBuildIds(elf.value).gnu;
  const cache = cacheDirectory === undefined || buildId === '' ? undefined : cacheIn(cacheDirectory);
  let table: UnwindTable | undefined = cache?.read(buildId);
  if (table === undefined) {
    const made = readUnwindTable(elf.value);
    if (!made.ok) return { status: 'none', id, cause: made.error.code === 'unsupported' ? undefined : 'malformed_elf' };
    table = made.value;
    cache?.write(buildId, table);
  }
  const mapFd = putKernelTable(tablesFd, slot, table.words);
  const { machine, flags, base, pageCount } = table;
  return { status: 'made', id, mapFd, machine, flags, base, pageCount, byteLength: bytesOf(table) };
}

/** Of the chunks that hold it. */
function bytesOf(table: UnwindTable): number {
  return Math.max(1, Math.ceil(table.words.byteLength / 4096)) * 4096;
}

function cacheIn(directory: string): TableCache {
  let cache = caches.get(directory);
  if (cache === undefined) {
    cache = new TableCache(directory);
    caches.set(directory, cache);
  }
  return cache;
}
