import { expect, test } from 'vitest';
import type { ProcessView } from '../processes/process.ts';
import { DebugFinder } from './debug-finder.ts';
import { DebugInfo } from './debug-info.ts';
import { createModule } from './module.ts';

test('a worker that does not answer delays one profile, not each of the next', async () => {
  const asked: string[] = [];
  const silent = {
    request: async ({ kind }: { readonly kind: string }): Promise<undefined> => {
      asked.push(kind);
      return new Promise(() => undefined);
    },
  };
  const debug = new DebugInfo({ small: silent, large: silent }, new DebugFinder('/nowhere', undefined), () => '/');
  const path = process.execPath;
  const mapping = { start: 0n, end: 4096n, fileOffset: 0n, path, buildId: '00', device: '0:0', inode: 0n };
  // A process that is gone: its file is opened by path.
  const view: ProcessView = {
    pid: 2 ** 22 + 1,
    namespacePid: 1,
    startTimeNs: 1n,
    executablePath: path,
    executableName: 'gone',
    mappings: [mapping],
    isKernelThread: false,
  };
  const module = createModule('build-id:00');
  const needs = { isComplete: false, hasSymbols: true, dwarfBytes: 1000, link: undefined };
  module.state = { kind: 'loaded', buildId: '00', segments: [], debug: needs, isResident: true };
  const waited: boolean[] = [];
  for (let i = 0; i < 4; i++) {
    const started = performance.now();
    expect(await debug.names(view, mapping, module, BigUint64Array.of(1n))).toBe('late');
    waited.push(performance.now() - started > 1000);
  }
  expect(waited).toEqual([true, false, false, false]);
  expect(asked).toEqual(['debug-load']);
  // What needs nothing is answered at once.
  module.state = { ...module.state, debug: { ...needs, isComplete: true } };
  expect(await debug.names(view, mapping, module, BigUint64Array.of(1n))).toBe('nothing');
});
