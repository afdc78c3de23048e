import { expect, test } from 'vitest';
import { ProfileBuilder } from '../build/profile-builder.ts';
import { formatDiffTree, formatFunctions, formatTree, profileFromText } from '../testing/index.ts';
import { buildTree } from './build-tree.ts';
import { callersOf } from './callers.ts';
import { diffFunctions, diffTrees } from './diff.ts';
import { foldedStacks } from './folded-stacks.ts';
import { functionsOfTree, topFunctions } from './functions.ts';
import { frameKind } from './location-frames.ts';

const draw = profileFromText(`
  main   main       main  main
  parse  draw       draw  idle@[kernel.kallsyms]
         line(inl)
  = 3    5          1     2
`);

test('a tree merges stacks, splits inlined frames and orders siblings by name', () => {
  expect(formatTree(buildTree(draw, 0))).toEqual([
    '- root (total: 11, self: 0, samples: 4/0)',
    '  - main (total: 11, self: 0, samples: 4/0)',
    '    - draw (total: 6, self: 1, samples: 2/1)',
    '      - line (total: 5, self: 5, samples: 1/1)',
    '    - idle (total: 2, self: 2, samples: 1/1)',
    '    - parse (total: 3, self: 3, samples: 1/1)',
  ]);
  expect(buildTree(draw, 0).frames.kind).toEqual(['root', 'native', 'native', 'native', 'native', 'kernel']);
});

test('a function counts once per sample however deep it recurses', () => {
  const profile = profileFromText(`
    f  f  g
    f  g  f
    f  f
       g
  `);
  expect(formatFunctions(topFunctions(profile, 0))).toEqual(['f (total: 3, self: 2)', 'g (total: 2, self: 1)']);
  const callers = callersOf(buildTree(profile, 0), 'f');
  expect(callers && formatFunctions(callers.callers)).toEqual(['g (total: 2, self: 0)']);
  expect(callers && formatFunctions(callers.callees)).toEqual(['g (total: 1, self: 0)']);
  expect(callers?.function).toMatchObject({ total: 3n, self: 2n });
});

test('grouping by a label makes the values the children of the root', () => {
  const profile = profileFromText(`
    main  main   main
          a
    = 1   2      4
    ~ t=x t=main -
  `);
  const tree = buildTree(profile, 0, { groupBy: 't' });
  expect(formatTree(tree)).toEqual([
    '- root (total: 7, self: 0, samples: 3/0)',
    '  - (none) (total: 4, self: 0, samples: 1/0)',
    '    - main (total: 4, self: 4, samples: 1/1)',
    '  - main (total: 2, self: 0, samples: 1/0)',
    '    - main (total: 2, self: 0, samples: 1/0)',
    '      - a (total: 2, self: 2, samples: 1/1)',
    '  - x (total: 1, self: 0)',
    '    - main (total: 1, self: 1)',
  ]);
  expect(formatFunctions(functionsOfTree(tree))).toEqual([
    'main (total: 7, self: 5, samples: 3/2)',
    'a (total: 2, self: 2, samples: 1/1)',
  ]);
});

test('a diff keeps what vanished and what is new', () => {
  const after = profileFromText(`
    main   main
    parse  encode
    = 4    9
  `);
  const before = buildTree(draw, 0);
  expect(formatDiffTree(diffTrees(before, buildTree(after, 0)))).toEqual([
    '- root (before 11/0, after 13/0)',
    '  - main (before 11/0, after 13/0)',
    '    - draw (before 6/1, after 0/0)',
    '      - line (before 5/5, after 0/0)',
    '    - encode (before 0/0, after 9/9)',
    '    - idle (before 2/2, after 0/0)',
    '    - parse (before 3/3, after 4/4)',
  ]);
  const functions = diffFunctions(topFunctions(draw, 0), topFunctions(after, 0));
  expect(functions.frames.name.map((name, row) => `${name} ${functions.presence[row]}`)).toEqual([
    'encode new',
    'line gone',
    'idle gone',
    'draw gone',
    'parse both',
    'main both',
  ]);
});

test('sums beyond 2^53 stay exact and beyond int64 are refused', () => {
  const profile = profileFromText(`
    main  main
    a     b
    = 9223372036854775806 1
  `);
  expect(buildTree(profile, 0).total[0]).toBe(9_223_372_036_854_775_807n);
  const tooMuch = profileFromText(`
    main  main
    a     b
    = 9223372036854775806 2
  `);
  expect(() => buildTree(tooMuch, 0)).toThrow(expect.objectContaining({ code: 'overflow' }));
});

test('folded stacks mark kernel frames, take a prefix and make separators safe', () => {
  const profile = profileFromText(`
    main         main
    a;b          idle@[kernel.kallsyms]
    = 3          4
    ~ thread=one thread=one
  `);
  expect(foldedStacks(profile, 0, { kernelSuffix: '_[k]', prefixLabels: ['absent', 'thread'] })).toBe(
    'one;main;a:b 3\none;main;idle_[k] 4\n',
  );
});

test('kinds are told from names, mappings and files; inlined is a line that nowhere is a call', () => {
  const kinds = [
    ['main', '/usr/bin/app', 'main.c', 'native'],
    ['uv_run', '/usr/bin/node', '', 'runtime'],
    ['_PyEval_EvalFrameDefault', '/usr/lib/libpython3.11.so.1.0', 'ceval.c', 'runtime'],
    ['render', '/usr/bin/python3.11', '/srv/app.py', 'interpreted'],
    ['render', '', '/srv/app.rb', 'interpreted'],
    ['render', '//anon', '/srv/app.py', 'interpreted'],
    ['_find_and_load', '//anon', '<frozen importlib._bootstrap>', 'interpreted'],
    ['render', '//anon', '/srv/app.mjs', 'jit'],
    ['Interpreter', '/tmp/perf-1.map', 'a.cs', 'native'],
    ['runtime.mallocgc', '/srv/app', 'malloc.go', 'runtime'],
    ['runtime.(*mheap).alloc', '/srv/app', 'mheap.go', 'runtime'],
    ['runtime.part.0', '/srv/app', 'runtime.c', 'native'],
    ['main.runtime.x', '/srv/app', 'main.go', 'native'],
    ['do_syscall_64', '[kernel.kallsyms]', '', 'kernel'],
    ['[node+0x12]', '/usr/bin/node', '', 'unsymbolized'],
    ['SomeClass::node', '/usr/bin/nodes', '', 'native'],
  ] as const;
  for (const [name, binary, file, kind] of kinds)
    expect([name, frameKind(name, binary, file, false)]).toEqual([name, kind]);
  expect(frameKind('swap', '/usr/bin/app', 'swap.h', true)).toBe('inlined');
  expect(frameKind('uv_now', '/usr/bin/node', 'uv.h', true)).toBe('runtime');
  const builder = new ProfileBuilder({ sampleTypes: [{ type: 'cpu', unit: 'nanoseconds' }] });
  const mapping = builder.mapping({ file: '/usr/bin/app' });
  const stackOf = (above: number, ...names: readonly string[]) =>
    builder.stack(
      above,
      builder.location({
        mapping,
        lines: names.map((name, at) => ({ function: builder.function({ name, file: 'a.c' }), line: BigInt(at + 7) })),
      }),
    );
  const main = stackOf(0, 'both', 'always', 'main');
  builder.add(main, 0, [1n]);
  builder.add(stackOf(main, 'both'), 0, [2n]);
  const profile = builder.build();
  expect(buildTree(profile, 0).frames.kind).toEqual(['root', 'native', 'native', 'native']);
  // By line each is a frame of its own, and lies where it is.
  const lines = buildTree(profile, 0, { byLine: true });
  expect(formatTree(lines)).toEqual([
    '- root (total: 3, self: 0, samples: 2/0)',
    '  - main a.c:9 (total: 3, self: 0, samples: 2/0)',
    '    - always a.c:8 (total: 3, self: 0, samples: 2/0)',
    '      - both a.c:7 (total: 3, self: 1, samples: 2/1)',
    '        - both a.c:7 (total: 2, self: 2, samples: 1/1)',
  ]);
  expect(lines.frames.file).toEqual(['', 'a.c:7', 'a.c:8', 'a.c:9']);
  expect(lines.frames.kind).toEqual(['root', 'native', 'inlined', 'native']);
});
