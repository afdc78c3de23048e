import { join } from 'node:path';

import { repositoryRoot } from './everflame-process.ts';
import { countOf, recordProgram, type RuntimeStack } from './runtime-stacks.ts';

/** Functions of Python on the way to `burn`, outermost first, of each way in which shapes.py runs it; as versions from 3.11 on qualify them. */
const shapes: Readonly<Record<string, readonly string[]>> = {
  coroutine: ['<module>', 'run', 'BaseEventLoop.run_forever', 'awaits', 'in_coroutine', 'burn'],
  generator: ['<module>', 'delegates', 'in_generator', 'burn'],
  thread: ['Thread._bootstrap', 'Thread.run', 'in_thread', 'burn'],
  fork: ['<module>', 'in_child', 'burn'],
  subinterpreter: ['<module>', 'in_subinterpreter', '<module>', 'burn'],
};
/** By which function a stack is told to be of which way. */
const tellingName: Readonly<Record<string, string>> = {
  coroutine: 'in_coroutine',
  generator: 'in_generator',
  thread: 'in_thread',
  fork: 'in_child',
  subinterpreter: 'in_subinterpreter',
};

export interface ShapeVerdict {
  /** Samples of `burn`, by the way in which it was run. */
  readonly samples: Readonly<Record<string, number>>;
  /** Those with all functions in their order. */
  readonly inOrder: Readonly<Record<string, number>>;
  /** Samples through the interpreter's loop with no function of Python at all, from the program's second second on. */
  readonly nameless: number;
}

/** Runs shapes.py, each way for so many milliseconds of CPU. */
export async function recordShapes(python: string, milliseconds: number, isQualified: boolean): Promise<ShapeVerdict> {
  const script = join(repositoryRoot, 'test/workloads/runtimes/shapes.py');
  const { stacks } = await recordProgram(python, [script, String(milliseconds)], 499);
  const samples: Record<string, number> = {};
  const inOrder: Record<string, number> = {};
  for (const [shape, names] of Object.entries(shapes)) {
    const its = stacks.filter(({ frames }) => {
      const has = new Set(frames.flatMap(({ name, script: file }) => (file === '' ? [] : [name])));
      return has.has(tellingName[shape] ?? '') && has.has('burn');
    });
    const wanted = isQualified ? names : names.map((name) => name.slice(name.lastIndexOf('.') + 1));
    samples[shape] = countOf(its);
    inOrder[shape] = countOf(its.filter((each) => areInOrder(each, wanted)));
  }
  const nameless = stacks.filter(
    ({ frames }) =>
      frames.some(({ name }) => name.startsWith('_PyEval_EvalFrame')) &&
      !frames.some(({ script: file }) => file !== ''),
  );
  return { samples, inOrder, nameless: countOf(nameless) };
}

/** Are these functions there, in this order? Others may lie between. */
export function areInOrder({ frames }: RuntimeStack, names: readonly string[]): boolean {
  let at = -1;
  for (const name of names) {
    at = frames.findIndex((frame, i) => i > at && frame.script !== '' && frame.name === name);
    if (at < 0) return false;
  }
  return true;
}
