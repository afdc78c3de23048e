import { makePythonLayout, type PythonLayout } from '../python-layout.ts';

/** The layout of CPython 3.`minor` of a process whose `_PyRuntime` is at `runtime`; of versions before 3.13. */
export function knownLayout(minor: number, runtime: number): PythonLayout {
  const layout = makePythonLayout({
    version: [3, minor],
    runtime: BigInt(runtime),
    loop: { start: 0x1000n, end: 0x2000n },
    glue: [],
    runtimeHead: undefined,
  });
  if (typeof layout === 'string') throw new Error(layout);
  return layout;
}
