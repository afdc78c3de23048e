import { record } from '@everflame/agent';
import { expect, test } from 'vitest';

import { seenStacks } from '../support/planted/seen-stacks.ts';

/** Half a second and more of CPU, whatever else the machine does; a copied stack is named when the program is known. */
const node =
  'function spin() { while (process.cpuUsage().user < 1.5e6) for (let i = 0; i < 1e5; i++) Math.random(); } spin();';
const python = `
import time
def spin():
    while time.process_time() < 0.7: pass
spin()`;

/** The user frames between the root and a function: what calls it, and of the interpreter's own what runs it. */
async function framesOf(command: string, script: readonly string[], showsRuntimeFrames: boolean): Promise<string[][]> {
  const target = { kind: 'command', command, arguments: script } as const;
  const { profile } = await record({ frequencyHz: 499, target, stdio: 'ignore', showsRuntimeFrames });
  const names = seenStacks(profile).map(({ user }) => user.map(({ name }) => name));
  return names.filter((frames) => frames.includes('spin'));
}

const isV8 = (name: string): boolean => /^Builtins_(?:Interpreter|JSEntry|\w+Handler)/u.test(name);
/** The distribution's has no symbol for its loop. */
const isLoop = (name: string): boolean => /^(?:_PyEval_EvalFrameDefault|\[python3\.\d+\+0x[0-9a-f]+\])/u.test(name);

test.each([
  ['V8', process.execPath, ['-e', node], isV8],
  ['CPython', '/usr/bin/python3', ['-c', python], isLoop],
] as const)(
  'frames of %s itself are shown when that is asked for, and folded else',
  async (_, command, script, isOwn) => {
    const folded = await framesOf(command, script, false);
    expect(folded.length).toBeGreaterThan(0);
    expect(folded.filter((names) => names.slice(names.indexOf('spin')).some(isOwn))).toEqual([]);
    const shown = await framesOf(command, script, true);
    expect(shown.some((names) => names.some(isOwn))).toBe(true);
    // The functions are there all the same.
    expect(shown.length).toBeGreaterThan(0);
  },
);
