import { parentPort, workerData } from 'node:worker_threads';
import { Demangler } from '@everflame/binary';
import { GarbageCollector } from './garbage.ts';
import { JitStore } from './jit-store.ts';
import { KernelStore } from './kernel-store.ts';
import { ModuleStore } from './module-store.ts';
import type { ReplyEnvelope, ReplyOf, RequestEnvelope, SymbolRequest, SymbolWorkerOptions } from './worker-messages.ts';

/** The thread that reads symbols: takes requests one by one, keeps the tables, answers with names. */
const options = workerData as SymbolWorkerOptions;
const demangler = new Demangler();
const modules = new ModuleStore(options.moduleBudget, options.debugDirectory, demangler);
const jit = new JitStore(options.jitBudget, demangler);
const kernel = new KernelStore(demangler);
const garbage = new GarbageCollector();

function answer(request: SymbolRequest): ReplyOf[keyof ReplyOf] {
  const nowMs = performance.now();
  switch (request.kind) {
    case 'load':
      return modules.load(request);
    case 'module':
      return modules.name(request);
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
      };
  }
}

parentPort?.on('message', ({ id, request }: RequestEnvelope) => {
  const reply = answer(request);
  if (request.kind !== 'module') garbage.schedule();
  const losses = { perf_map: jit.takeFailures(), kallsyms: kernel.takeFailures() };
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  parentPort?.postMessage({ id, reply, losses, evicted: modules.takeEvicted() } satisfies ReplyEnvelope);
});
