import { expect, test } from 'vitest';
import { encodeProfile } from '../codec/encode-profile.ts';
import { formatTree, profileFromText } from '../testing/index.ts';
import { buildTree } from '../views/build-tree.ts';
import { foldedStacks } from '../views/folded-stacks.ts';
import { importProfile } from './import-profile.ts';

const bytes = (content: string) => new TextEncoder().encode(content);
/** Format and tree of the last value type. */
function read(content: string | Uint8Array, groupBy?: string): string[] {
  const file = importProfile(typeof content === 'string' ? bytes(content) : content);
  if (!file.ok) return [file.message];
  const { profile, format, notes } = file;
  const tree = buildTree(profile, profile.sampleTypes.length - 1, groupBy === undefined ? {} : { groupBy });
  return [format, ...notes, ...formatTree(tree).slice(1)];
}

test('folded stacks, with the kernel as perf marks it', () => {
  expect(read('main;parse 3\nmain;read;vfs_read_[k] 4\r\n\nmain;parse 1\n')).toEqual([
    'folded',
    '  - main (total: 8, self: 0)',
    '    - parse (total: 4, self: 4)',
    '    - read (total: 4, self: 0)',
    '      - vfs_read (total: 4, self: 4)',
  ]);
});

test('what is written as folded stacks comes back', () => {
  const drawn = profileFromText(`
    main   main  main
    parse  draw  a b (int)
    = 3    5     7
  `);
  const text = foldedStacks(drawn, 0);
  const file = importProfile(bytes(text));
  expect(file.ok && foldedStacks(file.profile, 0)).toBe(text);
});

test('perf script: names with blanks and brackets, files that were deleted, clocks as nanoseconds', () => {
  const script = `# captured on: today
node  1234/1240 [001] 12345.678901:   10101010 cpu-clock:pppH: 
\tffffffff81200000 vfs_read+0x1f ([kernel.kallsyms])
\t    55d000001000 std::map<int, (anonymous namespace)::T>::at(int) const+0x10 (/usr/bin/node)
\t    7f0000001000 [unknown] (/memfd:jit (deleted))
\t    55d000000100 main (/usr/bin/node)

worker pool 1234 99.5: 10101010 cpu-clock: 
\t    55d000000100 main (/usr/bin/node)

`;
  expect(read(script, 'thread_name')).toEqual([
    'perf script',
    '  - node (total: 10101010, self: 0, samples: 1/0)',
    '    - main (total: 10101010, self: 0, samples: 1/0)',
    '      - [memfd:jit (deleted)] (total: 10101010, self: 0, samples: 1/0)',
    '        - std::map<int, (anonymous namespace)::T>::at(int) const (total: 10101010, self: 0, samples: 1/0)',
    '          - vfs_read (total: 10101010, self: 10101010, samples: 1/1)',
    '  - worker pool (total: 10101010, self: 0, samples: 1/0)',
    '    - main (total: 10101010, self: 10101010, samples: 1/1)',
  ]);
});

test('speedscope: sampled and evented', () => {
  const shared = { frames: [{ name: 'main' }, { name: 'draw', file: 'draw.ts' }] };
  const sampled = {
    type: 'sampled',
    name: 'a',
    unit: 'milliseconds',
    startValue: 0,
    endValue: 3,
    samples: [[0], [0, 1]],
    weights: [1, 2],
  };
  const lines = [
    '  - main (total: 3000000, self: 1000000, samples: 2/1)',
    '    - draw (total: 2000000, self: 2000000, samples: 1/1)',
  ];
  expect(read(JSON.stringify({ shared, profiles: [sampled] }))).toEqual(['speedscope', ...lines]);
  const at = (type: string, frame: number, when: number) => ({ type, frame, at: when });
  const evented = { ...sampled, type: 'evented', events: [at('O', 0, 5), at('O', 1, 6), at('C', 1, 8), at('C', 0, 8)] };
  expect(read(JSON.stringify({ shared, profiles: [evented] }))).toEqual(['speedscope', ...lines]);
  expect(read(JSON.stringify({ shared, profiles: [{ ...sampled, samples: [[7], [0]] }] }))).toEqual([
    'as speedscope: frame 7 is not among the 2 shared ones',
  ]);
});

test('cpuprofile: a sample lasts until the next one, idle time is left out', () => {
  const frame = (functionName: string, url = '') => ({
    functionName,
    url,
    lineNumber: 9,
    columnNumber: 0,
    scriptId: '1',
  });
  const profile = {
    nodes: [
      { id: 1, callFrame: frame('(root)'), children: [2, 3] },
      { id: 2, callFrame: frame('main', 'file:///app.js'), children: [4] },
      { id: 3, callFrame: frame('(idle)') },
      { id: 4, callFrame: frame('', 'file:///lib/draw.js') },
    ],
    samples: [2, 4, 3, 2],
    timeDeltas: [0, 100, 200, 400],
    startTime: 0,
    endTime: 700,
  };
  expect(read(JSON.stringify(profile))).toEqual([
    'cpuprofile',
    '1 samples in which the program was idle are left out.',
    '  - main (total: 300000, self: 100000, samples: 3/2)',
    '    - (anonymous) draw.js:10 (total: 200000, self: 200000, samples: 1/1)',
  ]);
  expect(read(JSON.stringify({ ...profile, nodes: [{ id: 1, children: [1] }] }))).toEqual([
    'as cpuprofile: node 1 is not there, or has two parents',
  ]);
});

test('pprof', () => {
  expect(read(encodeProfile(profileFromText('main\ndraw\n= 4')))).toEqual([
    'pprof',
    '  - main (total: 4, self: 0, samples: 1/0)',
    '    - draw (total: 4, self: 4, samples: 1/1)',
  ]);
});

test.each([
  ['', 'it is empty'],
  ['{"a": 1}', 'it is JSON, but of neither speedscope nor a cpuprofile'],
  ['{"a": ', /^it is no JSON: /],
  ['hello world', 'it is none of pprof, folded stacks, perf script, speedscope and cpuprofile'],
  ['main 3\nmain;x\n', /^as folded: line 2 does not end in a blank and a whole number/],
  [`${'a;'.repeat(5000)}b 1`, /^as folded: line 1 has 5001 frames/],
  ['\u0001\u0002', /^it is no pprof file: /],
])('%j is refused in words', (content, message) => {
  const file = importProfile(bytes(content));
  expect(file.ok ? '' : file.message).toMatch(message);
});

test('a cut or changed file is read or refused, never anything else', () => {
  const shared = { frames: [{ name: 'main' }] };
  const file = JSON.stringify({ shared, profiles: [{ type: 'sampled', unit: 'none', samples: [[0]], weights: [1] }] });
  let refusals = 0;
  for (let at = 1; at < file.length; at++) {
    for (const changed of [file.slice(0, at), `${file.slice(0, at)}1${file.slice(at + 1)}`]) {
      if (!importProfile(bytes(changed)).ok) refusals++;
    }
  }
  expect(refusals).toBeGreaterThan(file.length);
});
