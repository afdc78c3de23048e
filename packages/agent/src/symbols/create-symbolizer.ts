import type { LossCounters } from '../health/counters.ts';
import type { ProcessMapping, ProcessView } from '../processes/process.ts';
import { DebugFinder } from './debug-finder.ts';
import { DebugInfo } from './debug-info.ts';
import { DebuginfodClient, type DebuginfodOptions, debuginfodOfEnvironment } from './debuginfod-client.ts';
import { ProcessRoots } from '../processes/process-roots.ts';
import { KernelResolver } from './kernel-resolver.ts';
import { targetOfMapping } from './mapping-target.ts';
import { ModuleLoader } from './module-loader.ts';
import { SymbolClient } from './symbol-client.ts';
import type { Symbolizer } from './symbolizer.ts';
import { UserResolver } from './user-resolver.ts';
import type { StatisticsReply } from './worker-messages.ts';

const megabyte = 1024 * 1024;
/** Programs with much debugging information are run by those who build them; the worker that reads it has 25 MB. */
const largeIdleMs = 120_000;

export interface SymbolizerOptions {
  readonly lossCounters: LossCounters;
  /** Bytes of symbols that stay resident, in the workers: a third each for symbols of files, for debugging information (half of it small, half large files) and for JIT code. Default 48 MiB. */
  readonly budget?: number;
  /** Where debug files of stripped binaries are, as `.build-id/xx/yyyy.debug`. Default /usr/lib/debug. */
  readonly debugDirectory?: string;
  /** Servers of debug files. Default: what DEBUGINFOD_URLS says, which is none when it is not set. */
  readonly debuginfod?: DebuginfodOptions | undefined;
  /** How long addresses wait for debugging information; then they have the names that symbols give. Default 1.5 s. */
  readonly debugPatienceMs?: number;
  /** Whether the kernel's symbols, 0.3 s of CPU, are read before anyone asks for them. Default true. */
  readonly readsKernelAhead?: boolean;
}

export interface MeasuredSymbolizer extends Symbolizer {
  /** What the workers hold; undefined where one does not answer. */
  statistics(): Promise<StatisticsReply | undefined>;
}

/**
 * Names for addresses, from a worker thread that owns all tables, and a second one for large debugging information. Only mappings that `prepare` was told of or that an address fell into are
 * read. What has no name is `[binary+0x1234]` with the ELF virtual address (the file offset where the file cannot be read),
 * `[anon]` for code without file (its addresses mean nothing outside of the process, so it is one function), `[unmapped]` where the process has
 * no code that we know of, and `[kernel+0x…]`.
 *
 * JIT code has the mapping `//anon` and its address in the process: one address may have different names in different processes.
 */
export function createSymbolizer(options: SymbolizerOptions): MeasuredSymbolizer {
  const budget = options.budget ?? 48 * megabyte;
  const roots = new ProcessRoots();
  const rootOf = (process: ProcessView): string => roots.of(process);
  const workerOptions = {
    moduleBudget: Math.floor(budget / 3),
    jitBudget: Math.floor(budget / 3),
    debugBudget: Math.floor(budget / 6),
  };
  const { lossCounters } = options;
  const dropped = (keys: readonly string[]): void => {
    loader.evicted(keys);
    debug.evicted(keys);
  };
  const client = new SymbolClient(workerOptions, lossCounters, dropped, () => {
    loader.lost();
    debug.lost();
  });
  const largeClient = new SymbolClient(workerOptions, lossCounters, dropped, () => debug.lost(), largeIdleMs);
  const servers = options.debuginfod ?? debuginfodOfEnvironment(process.env);
  const finder = new DebugFinder(
    options.debugDirectory ?? '/usr/lib/debug',
    servers === undefined ? undefined : new DebuginfodClient(servers),
  );
  const debug = new DebugInfo({ small: client, large: largeClient }, finder, rootOf, options.debugPatienceMs);
  const loader = new ModuleLoader(client, lossCounters, rootOf);
  const user = new UserResolver(client, loader, debug, rootOf);
  const kernel = new KernelResolver(client);
  if (options.readsKernelAhead !== false) void kernel.warm();

  function jitNotice(process: ProcessView, event: 'seen' | 'gone', dump?: ProcessMapping): void {
    const range = dump === undefined ? '' : `${dump.start.toString(16)}-${dump.end.toString(16)}`;
    void client.request({
      kind: 'jit-notice',
      process: { pid: process.pid, namespacePid: process.namespacePid, startTimeNs: process.startTimeNs },
      event,
      dump:
        dump === undefined
          ? undefined
          : {
              mapFile: `/proc/${process.pid}/map_files/${range}`,
              path: `/proc/${process.pid}/root${dump.path}`,
            },
    });
  }

  return {
    prepare(process, mapping) {
      rootOf(process);
      switch (targetOfMapping(mapping)) {
        case 'file':
          void loader.sight(process, mapping, loader.moduleOf(mapping));
          break;
        case 'vdso':
          void user.prepareVdso(process, mapping);
          break;
        case 'anonymous':
          jitNotice(process, 'seen');
          break;
        case 'jitdump':
          jitNotice(process, 'seen', mapping);
          break;
        case 'vsyscall':
          break;
      }
    },
    forget(process) {
      if (process.mappings.some((mapping) => /^(anonymous|jitdump)$/.test(targetOfMapping(mapping)))) {
        jitNotice(process, 'gone');
      }
    },
    resolveUser(process, addresses, isLeaf) {
      return user.resolve(process, instructions(addresses, isLeaf));
    },
    resolveKernel(addresses, isLeaf) {
      return kernel.resolve(instructions(addresses, isLeaf));
    },
    async statistics() {
      const names = await client.request({ kind: 'statistics' });
      if (names === undefined || !largeClient.isStarted) return names;
      const large = await largeClient.request({ kind: 'statistics' });
      if (large === undefined) return undefined;
      const debugFiles = names.debugFiles + large.debugFiles;
      return { ...names, debugFiles, debugBytes: names.debugBytes + large.debugBytes };
    },
    async close() {
      await Promise.all([client.close(), largeClient.close(), loader.close()]);
    },
  };
}

/** A return address may already be the next function's or the next line's: one byte before it lies the call. */
function instructions(addresses: BigUint64Array, isLeaf: Uint8Array): BigUint64Array {
  const calls = addresses.slice();
  for (let i = 0; i < calls.length; i++) {
    const address = calls[i] ?? 0n;
    if (isLeaf[i] !== 1 && address > 0n) calls[i] = address - 1n;
  }
  return calls;
}
