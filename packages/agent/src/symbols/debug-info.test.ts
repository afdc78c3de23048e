import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { ProcessView } from '../processes/process.ts';
import { DebugFinder } from './debug-finder.ts';
import { DebugInfo } from './debug-info.ts';
import { createModule, type Module } from './module.ts';
import type { ReplyOf, SymbolRequest } from './worker-messages.ts';

const path = process.execPath;
const mapping = { start: 0n, end: 4096n, fileOffset: 0n, path, buildId: '00', device: '0:0', inode: 0n };
/** A process that is gone: its file is opened by path. */
const view: ProcessView = {
  pid: 2 ** 22 + 1,
  namespacePid: 1,
  startTimeNs: 1n,
  executablePath: path,
  executableName: 'gone',
  mappings: [mapping],
  isKernelThread: false,
};
const needs = { isComplete: false, hasSymbols: true, dwarfBytes: 1000, link: undefined };

const ignore = (): void => undefined;
const named = { lists: [], listOf: Uint32Array.of(0) };

/** A worker that answers what `answer` makes of the kind of a request. */
function workerOf(answer: (kind: SymbolRequest['kind']) => Promise<unknown>) {
  return {
    // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- SymbolClient's own signature: the answer's type follows the request's
    request: async <R extends SymbolRequest>({ kind }: R): Promise<ReplyOf[R['kind']] | undefined> =>
      (await answer(kind)) as ReplyOf[R['kind']] | undefined,
  };
}

function loadedModule(): Module {
  const module = createModule('build-id:00');
  module.state = { kind: 'loaded', buildId: '00', segments: [], debug: needs, isResident: true };
  return module;
}

test('a worker that does not answer delays one profile, not each of the next', async () => {
  const asked: string[] = [];
  const end = Promise.withResolvers<undefined>();
  const silent = workerOf(async (kind) => {
    asked.push(kind);
    return end.promise;
  });
  const debug = new DebugInfo({ small: silent, large: silent }, new DebugFinder('/nowhere', undefined), () => '/');
  const module = loadedModule();
  const waited: boolean[] = [];
  for (let i = 0; i < 4; i++) {
    const started = performance.now();
    expect(await debug.names(view, mapping, module, BigUint64Array.of(1n), ignore)).toBe('late');
    waited.push(performance.now() - started > 1000);
  }
  expect(waited).toEqual([true, false, false, false]);
  expect(asked).toEqual(['debug-load']);
  // What needs nothing is answered at once.
  module.state = {
    kind: 'loaded',
    buildId: '00',
    segments: [],
    isResident: true,
    debug: { ...needs, isComplete: true },
  };
  expect(await debug.names(view, mapping, module, BigUint64Array.of(1n), ignore)).toBe('nothing');
  // Lets go of the file that it was to read.
  end.resolve(undefined);
});

test('who may wait has the names when they come', async () => {
  const slow = workerOf(async (kind) => {
    if (kind !== 'debug-load') return { status: 'named', named };
    await sleep(200);
    return { status: 'ready' };
  });
  const ask = async (patienceMs: number): Promise<unknown> =>
    new DebugInfo({ small: slow, large: slow }, new DebugFinder('/nowhere', undefined), () => '/', patienceMs).names(
      view,
      mapping,
      loadedModule(),
      BigUint64Array.of(1n),
      ignore,
    );
  expect(await ask(1)).toBe('late');
  expect(await ask(60_000)).toEqual(named);
});

test('what a worker has dropped is read once more for all who ask at that moment', async () => {
  const asked: string[] = [];
  let isResident = false;
  const worker = workerOf(async (kind) => {
    asked.push(kind);
    await Promise.resolve();
    if (kind === 'debug-load') isResident = true;
    return kind === 'debug-load' ? { status: 'ready' } : isResident ? { status: 'named', named } : { status: 'absent' };
  });
  const debug = new DebugInfo({ small: worker, large: worker }, new DebugFinder('/nowhere', undefined), () => '/');
  const module = loadedModule();
  const ask = async (): Promise<unknown> => debug.names(view, mapping, module, BigUint64Array.of(1n), ignore);
  await ask();
  isResident = false;
  asked.length = 0;
  await Promise.all(Array.from({ length: 10 }, ask));
  expect(asked.filter((kind) => kind === 'debug-load')).toHaveLength(1);
});

test('an answer that is overdue is given when it comes, and until then nothing else is asked about the module', async () => {
  const asked: string[] = [];
  const answers: (() => void)[] = [];
  const worker = workerOf(async (kind) => {
    asked.push(kind);
    if (kind === 'debug-load') return { status: 'ready' };
    await new Promise<void>((resolve) => answers.push(resolve));
    return { status: 'named', named };
  });
  const debug = new DebugInfo({ small: worker, large: worker }, new DebugFinder('/nowhere', undefined), () => '/', 20);
  const module = loadedModule();
  const came: unknown[] = [];
  const ask = async (): Promise<unknown> =>
    debug.names(view, mapping, module, BigUint64Array.of(1n), (names) => came.push(names));
  expect([await ask(), await ask(), await ask()]).toEqual(['late', 'late', 'late']);
  expect([asked, came]).toEqual([['debug-load', 'debug-name'], []]);
  answers.shift()?.();
  await sleep(0);
  expect(came).toEqual([named]);
  const next = ask();
  await sleep(0);
  answers.shift()?.();
  expect(await next).toBe(named);
});
