/**
 * Is the planted truth true? `node test/judges/planted-with-perf.ts` runs the programs of test/workloads/planted, built without frame
 * pointers, under `perf record --call-graph dwarf`, whose unwinder is somebody else's, and judges its stacks as the tests judge ours.
 * Prints a line for each program; ends with 1 when one of those that perf can unwind is not as planted.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';

import { judgeChains } from '../support/planted/judge-stacks.ts';
import { readPlantedTruth } from '../support/planted/planted-truth.ts';
import type { SeenFrame, SeenStack } from '../support/planted/seen-stacks.ts';
import { StackRoots } from '../support/planted/stack-roots.ts';
import { PlantedPrograms } from '../workloads/planted/build.ts';

/** The most that perf copies of a stack. */
const dumpBytes = 65_528;
const seconds = '3';

const programs = new PlantedPrograms();

interface Candidate {
  readonly name: string;
  readonly words: readonly string[];
  /** What perf cannot do here, if anything: then its answer is printed and does not count. */
  readonly limit?: string;
}

function candidates(): Candidate[] {
  const c = (source: string, flags: readonly string[] = []): string =>
    programs.c(`${source}.c`, `judged-${source}${flags.join('')}`, { flags });
  const cpp = programs.c('chain.cpp', 'judged-cpp', { compiler: 'g++' });
  return [
    { name: 'chain', words: [c('chain')] },
    { name: 'chain, static', words: [c('chain', ['-static'])], limit: 'perf finds no tables of static programs' },
    { name: 'chain, C++', words: [cpp] },
    { name: 'chain, Rust', words: [programs.rust('judged-rust', false)] },
    { name: 'signals', words: [c('signals')], limit: 'the stack that an alternate one interrupts is not in its copy' },
    { name: 'assembly', words: [c('assembly')] },
    { name: 'threads', words: [c('threads')], limit: 'counts of threads differ by the load of the machine' },
    { name: 'vfork', words: [c('vfork')], limit: 'it has no samples of a child that borrows its parent’s memory' },
    { name: 'libraries', words: [c('libraries')], limit: 'perf keeps one library where several were mapped by turns' },
    { name: 'frames', words: [c('frames')], limit: 'frames of more than 64 KB are beyond its copy' },
    { name: 'switch', words: [c('switch')], limit: 'it goes through the end of a stack of makecontext' },
  ];
}

function extraWords(name: string): string[] {
  if (name === 'threads') return ['8'];
  if (name === 'vfork') return ['/bin/true'];
  return name === 'libraries' ? programs.libraries('judged', 4, false) : [];
}

/** `perf script` prints a blank line after each sample: `ip symbol (file)` a line, leaf first. */
function parseScript(text: string, program: string): SeenStack[] {
  return text.split('\n\n').flatMap((block) => {
    const [head = '', ...lines] = block.trim().split('\n');
    if (!head.startsWith(program.slice(0, 15))) return [];
    const frames = lines.flatMap((line): SeenFrame[] => {
      const [, ip = '', symbol = '', file = ''] = /^\s*([0-9a-f]+) (.*?) \((.*)\)$/u.exec(line) ?? [];
      // The kernel's half of the addresses.
      return ip.length === 16 && ip.startsWith('ffff')
        ? []
        : [{ name: symbol === '[unknown]' ? '' : symbol, file, address: 0n }];
    });
    return frames.length === 0 ? [] : [{ labels: {}, count: 1, user: frames.reverse(), kernel: [] }];
  });
}

const roots = new StackRoots();
let failed = 0;
try {
  for (const { name, words, limit } of candidates()) {
    const [program = ''] = words;
    const comm = program.slice(program.lastIndexOf('/') + 1);
    const data = join(programs.folder, 'perf.data');
    const truthFile = join(programs.folder, `truth-of-${comm}`);
    const record = [
      'record',
      '-q',
      '-e',
      'cpu-clock:u',
      '-F',
      '199',
      '--buildid-mmap',
      '--call-graph',
      `dwarf,${dumpBytes}`,
    ];
    const ran = spawnSync('perf', [...record, '-o', data, '--', program, seconds, truthFile, ...extraWords(name)], {
      encoding: 'utf8',
    });
    if (ran.status !== 0) throw new Error(`${name}: ${ran.stderr}`);
    const script = ['script', '-i', data, '--no-inline', '-F', 'comm,ip,sym,dso'];
    const text = execFileSync('perf', script, {
      encoding: 'utf8',
      maxBuffer: 1 << 30,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const stacks = parseScript(text, comm);
    const truth = readPlantedTruth(truthFile);
    const { asPlanted, broken, outside, examples } = judgeChains(stacks, truth);
    const { complete, incomplete } = await roots.judge(stacks, truth);
    const isGood = asPlanted > 100 && asPlanted / (asPlanted + broken) >= 0.98;
    if (!isGood && limit === undefined) failed++;
    console.log(
      `${isGood ? 'as planted' : 'NOT as planted'}: ${name}: ${asPlanted} stacks whole, ${broken} broken, ${outside} outside; ` +
        `${complete} begin at a root, ${incomplete} do not${limit === undefined ? '' : ` (${limit})`}`,
    );
    if (!isGood) console.log(examples.slice(0, 2).join('\n'));
  }
} finally {
  programs.remove();
}
process.exitCode = failed === 0 ? 0 : 1;
