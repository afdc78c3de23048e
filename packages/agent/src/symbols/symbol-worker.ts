import { parentPort, workerData } from 'node:worker_threads';
import { Demangler } from '@everflame/binary';
import { endOfWork } from '../end-worker.ts';
import { GarbageCollector } from '../garbage.ts';
import { DebugStore } from './debug-store.ts';
import { JitStore } from './jit-store.ts';
import { KernelStore } from './kernel-store.ts';
import { ModuleStore } from './module-store.ts';
import type { ReplyEnvelope, ReplyOf, RequestEnvelope, SymbolRequest, SymbolWorkerOptions } from './worker-messages.ts';

/**
 * The thread that reads symbols: takes requests one by one, keeps the tables, answers with names. A second one reads
 * debugging information that is so large that names would have to wait.
 */
const options = workerData as SymbolWorkerOptions;
const demangler = new Demangler();
const modules = new ModuleStore(options.moduleBudget, demangler);
const jit = new JitStore(options.jitBudget, demangler);
const kernel = new KernelStore(demangler);
const debug = new DebugStore(options.debugBudget, demangler);
const garbage = new GarbageCollector();

async function answer(request: SymbolRequest): Promise<ReplyOf[keyof ReplyOf]> {
  const nowMs = performance.now();
  switch (request.kind) {
    case 'load':
      return modules.load(request);
    case 'module':
      return modules.name(request);
    case 'debug-load':
      return debug.load(request);
    case 'debug-name':
      return debug.name(request);
    case 'jit':
      return jit.name(request, nowMs);
    case 'jit-notice':
      jit.notice(request, nowMs);
      return undefined;
    case 'kernel':
      return kernel.name(request, nowMs);
    case 'statistics':
      return {
        modules: modules.size,
        moduleBytes: modules.byteLength,
        jitProcesses: jit.size,
        jitBytes: jit.byteLength,
        kernelBytes: kernel.byteLength,
        debugFiles: debug.size,
        debugBytes: debug.byteLength,
      };
  }
}

async function handle({ id, request }: RequestEnvelope): Promise<void> {
  const reply = await answer(request);
  garbage.schedule();
  const losses = { perf_map: jit.takeFailures(), kallsyms: kernel.takeFailures(), debug_info: debug.takeFailures() };
  const evicted = [...modules.takeEvicted(), ...debug.takeEvicted()];
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  parentPort?.postMessage({ id, reply, losses, evicted } satisfies ReplyEnvelope);
}

let last = Promise.resolve();
parentPort?.on('message', (envelope: RequestEnvelope | typeof endOfWork) => {
  // oxlint-disable-next-line unicorn/no-process-exit -- of this thread alone
  if (envelope === endOfWork) process.exit();
  last = last.then(async () => handle(envelope));
});
