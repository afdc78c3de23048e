import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { captureWithGdb, expectedAddresses, type GdbCapture, unwindCapture } from '../judges/gdb-capture.ts';
import { ProcessTables } from '../judges/process-tables.ts';

const folder = mkdtempSync(join(tmpdir(), 'everflame-unwind-'));
const source = join(import.meta.dirname, '../workloads/unwind-shapes.c');
const program = join(folder, 'shapes');
let captures: GdbCapture[] = [];

beforeAll(() => {
  const flags = ['-O2', '-fomit-frame-pointer', '-Wl,-z,lazy', '-pthread'];
  execFileSync('gcc', [...flags, '-o', program, source]);
  captures = captureWithGdb([program], { out: join(folder, 'captures'), start: 'main', count: 8000, stride: 7 });
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** While these load the registers of where they jump to, no row can say where their caller is. */
const jumps = new Set(['__longjmp', 'setcontext']);
/** gcc's crtstuff.c is compiled without call frame information; gdb reads its instructions instead. */
const undescribed = '__do_global_dtors_aux';
/** gdb has no description for some functions of the C runtime either, and then guesses. */
const isJudge = ({ frames, reason }: GdbCapture): boolean =>
  reason === 'outermost' && frames.every(({ name }) => name !== '');

test('every stop in a program of all shapes of frames has the stack that gdb finds', () => {
  const tables = new ProcessTables();
  const differing: string[] = [];
  let equal = 0;
  for (const capture of captures.filter(isJudge)) {
    const leaf = capture.frames[0]?.name ?? '';
    const stack = unwindCapture(capture, tables);
    const isEqual = stack.end === 'complete' && stack.addresses.join() === expectedAddresses(capture).join();
    if (isEqual) equal++;
    else if (leaf !== undescribed && !(jumps.has(leaf) && stack.end === 'gap')) {
      differing.push(
        `${capture.frames.map(({ name }) => name).join(' < ')}: ${stack.end} ${stack.addresses.map((each) => each.toString(16)).join(' ')}`,
      );
    }
  }
  expect(differing).toEqual([]);
  expect(equal).toBeGreaterThan(1500);
});

test('the stops went through the resolver, a signal handler, a wide frame, realigned and variable ones', () => {
  const names = new Set(captures.flatMap(({ frames }) => frames.map(({ name }) => name)));
  const shapes = ['_dl_runtime_resolve_xsavec', 'on_signal', 'wide', 'realigned', 'variable', 'compare', 'jump'];
  expect(shapes.filter((name) => !names.has(name))).toEqual([]);
});

test('a stack made by makecontext ends cleanly, which gdb does not see', () => {
  const tables = new ProcessTables();
  const switched = captures.filter(({ frames }) => frames.some(({ name }) => name === 'on_other_stack'));
  expect(switched.length).toBeGreaterThan(5);
  const ends = switched.map((capture) => {
    const { end, guessedFrom, addresses } = unwindCapture(capture, tables);
    return guessedFrom === addresses.length ? end : 'guessed';
  });
  expect(new Set(ends)).toEqual(new Set(['complete']));
});
