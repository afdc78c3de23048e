import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { randomNumbers } from '../../packages/binary/src/testing/random.ts';
import { compareLines, DwarfOnDisk, drawAddresses, type LineDifference } from '../judges/dwarf-judge.ts';

const workloads = fileURLToPath(new URL('../workloads', import.meta.url));
const addressCount = 1000;

/** A program to be compiled with debugging information, and what the judges can say of it. */
export interface Build {
  readonly name: string;
  readonly command: string;
  readonly source: string;
  readonly flags: readonly string[];
  /** Addresses at which it tells of inlined functions, at least. */
  readonly inlined: number;
  /**
   * What binutils' addr2line (2.40) does not do, so that LLVM's is the only judge: it drops DWARF of the 64-bit format; it does not open .dwo files; it loses
   * inlined functions whose ranges are `DW_FORM_rnglistx`, and those of files with type units; it takes the unit's name for the file's in LTO; it refuses Go's.
   */
  readonly onlyLlvm?: boolean;
  /** Not in `npm test` but in `npm run test:dwarf`. */
  readonly isExtra?: boolean;
  /** Addresses that addr2line knows and nobody else: it takes the padding after a function's end as its last line. */
  readonly gaps?: number;
}

const c = { source: 'unwind-shapes.c', command: 'gcc' };
const gxx = { source: 'inlined-stl.cc', command: 'g++' };
const clangxx = { source: 'inlined-stl.cc', command: 'clang++' };
export const builds: readonly Build[] = [
  ...[2, 3].map((version) => ({
    ...c,
    name: `gcc -O2 DWARF ${version}`,
    flags: ['-O2', `-gdwarf-${version}`, '-pthread'],
    inlined: 0,
    gaps: 10,
  })),
  ...[4, 5].map((version) => ({
    ...gxx,
    name: `g++ -O2 DWARF ${version}`,
    flags: ['-O2', `-gdwarf-${version}`],
    inlined: 400,
    gaps: 10,
  })),
  ...[3, 4, 5].map((version) => ({
    ...clangxx,
    name: `clang++ -O2 DWARF ${version}`,
    flags: ['-O2', `-gdwarf-${version}`],
    inlined: 400,
    gaps: 10,
    onlyLlvm: version === 5,
  })),
  { ...c, name: 'gcc -O0', flags: ['-O0', '-g', '-pthread'], inlined: 0, gaps: 10 },
  { ...c, name: 'gcc -O2', flags: ['-O2', '-g', '-pthread'], inlined: 0, gaps: 10 },
  { ...c, name: 'clang -O1', command: 'clang', flags: ['-O1', '-g', '-pthread'], inlined: 0, gaps: 10 },
  { ...gxx, name: 'g++ -O0', flags: ['-O0', '-g'], inlined: 0, gaps: 10 },
  {
    ...gxx,
    name: 'g++ -O3, 64-bit format',
    isExtra: true,
    flags: ['-O3', '-g', '-gdwarf64'],
    inlined: 400,
    onlyLlvm: true,
  },
  { ...gxx, name: 'g++ -Os, LTO', isExtra: true, flags: ['-Os', '-g', '-flto'], inlined: 300, onlyLlvm: true },
  {
    ...gxx,
    name: 'g++ type units',
    flags: ['-O2', '-g', '-fdebug-types-section'],
    inlined: 400,
    onlyLlvm: true,
  },
  {
    ...gxx,
    name: 'g++ removed sections',
    flags: ['-O2', '-g', '-ffunction-sections', '-Wl,--gc-sections'],
    inlined: 400,
    gaps: 10,
  },
  { ...gxx, name: 'g++ static-pie', isExtra: true, flags: ['-O2', '-g', '-static-pie'], inlined: 0, gaps: 10 },
  { ...gxx, name: 'g++ compressed', flags: ['-O2', '-g', '-gz=zlib'], inlined: 400, gaps: 10 },
  ...[4, 5].flatMap((version) => [
    {
      ...gxx,
      name: `g++ split ${version}`,
      isExtra: version === 5,
      flags: ['-O2', `-gdwarf-${version}`, '-gsplit-dwarf'],
      inlined: 400,
      onlyLlvm: true,
    },
    {
      ...clangxx,
      name: `clang++ split ${version}`,
      flags: ['-O2', `-gdwarf-${version}`, '-gsplit-dwarf'],
      inlined: 400,
      onlyLlvm: true,
    },
  ]),
  { name: 'rustc', command: 'rustc', source: 'inlined-maps.rs', flags: ['-g'], inlined: 300, gaps: 10 },
  {
    name: 'rustc -O',
    command: 'rustc',
    source: 'inlined-maps.rs',
    flags: ['-O', '-g'],
    inlined: 300,
    gaps: 10,
  },
  {
    name: 'go',
    command: goCommand(),
    source: 'inlined-sort.go',
    flags: ['build'],
    inlined: 100,
    onlyLlvm: true,
  },
];

/** Compiles into the folder. Answers, drawn, where our reader and the judges do not say the same at random addresses; nothing when all is well. */
export function problemsOf(build: Build, folder: string): string[] {
  const program = join(folder, build.name.replaceAll(/[^\w+]+/gu, '-'));
  const output = build.command.endsWith('go') ? [...build.flags, '-o', program] : ['-o', program, ...build.flags];
  execFileSync(build.command, [...output, join(workloads, build.source)], { cwd: folder, stdio: 'pipe' });
  withoutSymbols(program, program);
  const disk = new DwarfOnDisk(program);
  try {
    const addresses = drawAddresses(disk.elf, addressCount, randomNumbers(build.name.length));
    const llvm = compareLines(program, 'llvm-addr2line', disk.lines, addresses);
    const problems = llvm.differences.map((each) => `llvm: ${drawDifference(each)}`);
    if (llvm.judged === 0) problems.push('no address was judged');
    if (llvm.inlined < build.inlined) problems.push(`${llvm.inlined} addresses with inlined functions`);
    if (disk.lines.damagedUnits > 0) problems.push(`${disk.lines.damagedUnits} damaged units`);
    if (build.onlyLlvm === true) return problems;
    const gnu = compareLines(program, 'addr2line', disk.lines, addresses);
    const unexplained = gnu.differences.filter((each) => each.ours !== '' && !isUnitName(each));
    problems.push(...unexplained.map((each) => `addr2line: ${drawDifference(each)}`));
    if (gnu.differences.length > (build.gaps ?? 0)) problems.push(`${gnu.differences.length} gaps and unit names`);
    return problems;
  } finally {
    disk.close();
  }
}

function drawDifference({ address, ours, theirs }: LineDifference): string {
  return `0x${address.toString(16)} ours ${ours} theirs ${theirs}`;
}

/** Judges put the symbol in the place of DWARF's name where they find one: they are asked about a copy without symbols. */
export function withoutSymbols(from: string, to: string): void {
  execFileSync('objcopy', ['-w', '--strip-symbol=*', from, to], { stdio: 'pipe' });
}

/** addr2line gives the last line of some functions the name of the unit in the place of the file's (`readelf --debug-dump=decodedline` has ours). */
function isUnitName({ ours, theirs }: { ours: string; theirs: string }): boolean {
  const withoutFiles = (chain: string): string => chain.replaceAll(/ \/\S*:(?=\d)/gu, ' ');
  return withoutFiles(ours) === withoutFiles(theirs);
}

function goCommand(): string {
  return existsSync('/usr/local/go/bin/go') ? '/usr/local/go/bin/go' : 'go';
}
