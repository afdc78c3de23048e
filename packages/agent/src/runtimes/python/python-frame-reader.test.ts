import type { PythonSymbols } from '@everflame/binary';
import { expect, test } from 'vitest';

import type { ProcessMapping } from '../../processes/process.ts';
import type { ResolvedLocation } from '../../symbols/symbolizer.ts';
import { anonymousMapping } from '../../symbols/user-locations.ts';
import { ProcessMemory, ReadBudget } from '../process-memory.ts';
import { PythonFrameReader } from './python-frame-reader.ts';
import { makePythonLayout } from './python-layout.ts';

const own: ProcessMapping = {
  start: 0x1000n,
  end: 0x9000n,
  fileOffset: 0n,
  path: '/usr/bin/python3.11',
  buildId: 'abcd',
  device: '8:1',
  inode: 7n,
};
const other: ProcessMapping = { ...own, path: '/usr/lib/libz.so.1', buildId: 'ef01', inode: 8n };

function reader(): PythonFrameReader {
  const symbols: PythonSymbols = {
    version: [3, 11],
    runtime: 0x5000n,
    loop: { start: 0x1000n, end: 0x2000n },
    glue: [],
    runtimeHead: undefined,
  };
  const layout = makePythonLayout(symbols);
  const memory = ProcessMemory.open(process.pid, new ReadBudget());
  if (typeof layout === 'string' || memory === undefined) throw new Error('no layout or no memory');
  return new PythonFrameReader(layout, 0, memory, own);
}

function location(systemName: string, kind: ResolvedLocation['kind'] = 'native'): ResolvedLocation {
  const line = { name: systemName, systemName, file: '', line: 0, startLine: 0 };
  return { mapping: anonymousMapping, address: 0n, kind, lines: [line] };
}

test("CPython's calls and what has no name in its file are folded; functions that do something stay, and so does the loop", () => {
  const frames = reader();
  const folded = (name: string): boolean => frames.isGlue(own, location(name));
  const calls = ['_PyFunction_Vectorcall', '_PyEval_Vector', 'method_vectorcall', 'PyObject_Call', 'gen_send_ex2.cold'];
  const starts = [
    'Py_BytesMain',
    'pymain_run_python.constprop.0',
    'run_mod',
    'PyEval_EvalCode',
    '_PyRun_AnyFileObject',
  ];
  const stay = ['list_sort', 'min_max', 'sre_ucs1_match', 'PyObject_Malloc', 'main', '_PyEval_EvalFrameDefault'];
  expect([...calls, ...starts].filter((name) => !folded(name))).toEqual([]);
  expect(stay.filter(folded)).toEqual([]);
  expect([own, other].map((each) => frames.isGlue(each, location('[python3.11+0x1234]', 'unsymbolized')))).toEqual([
    true,
    false,
  ]);
  expect([other, undefined].map((each) => frames.isGlue(each, location('PyObject_Call')))).toEqual([false, false]);
});

test('an address that holds no code object shows what is known of the frame itself', () => {
  const frames = reader();
  const native = location('_PyEval_EvalFrameDefault');
  expect(frames.read(own, 0x1100, { object: 8, place: 0 })).toBeUndefined();
  expect(frames.showUnread(native)).toEqual([native]);
});
