import { pythonBytes, pythonGlue, pythonOffset } from '../kernel/generated/abi.ts';
import type { PythonPlace } from './process-space.ts';

/** A struct ef_python of bpf/abi.h. */
export function pythonEntry({ layout, bias }: PythonPlace, mm: bigint): Uint8Array {
  const view = new DataView(new ArrayBuffer(pythonBytes));
  const address = (virtual: bigint): bigint => BigInt.asUintN(64, virtual + BigInt(bias));
  view.setBigUint64(pythonOffset.mm, mm, true);
  view.setBigUint64(pythonOffset.runtime, address(layout.runtime), true);
  view.setBigUint64(pythonOffset.loopStart, address(layout.loop.start), true);
  view.setBigUint64(pythonOffset.loopEnd, address(layout.loop.end), true);
  for (const [i, { start, end }] of layout.glue.slice(0, pythonGlue).entries()) {
    view.setBigUint64(pythonOffset.glueStart + 8 * i, address(start), true);
    view.setBigUint64(pythonOffset.glueEnd + 8 * i, address(end), true);
  }
  for (const name of fields) view.setUint16(pythonOffset[name], layout.frames[name], true);
  return new Uint8Array(view.buffer);
}

const fields = [
  'flags',
  'indexShift',
  'interpreters',
  'interpreterNext',
  'interpreterThreads',
  'threadNext',
  'threadId',
  'threadFrame',
  'cframeFrame',
  'cframePrevious',
  'frameAt',
  'frameCode',
  'framePrevious',
  'framePlace',
  'frameMark',
  'codeFirst',
] as const;
