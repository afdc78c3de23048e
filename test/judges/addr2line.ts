import { spawnSync } from 'node:child_process';

/** What a judge says of one address: the innermost function first. Unknown names and files are empty, unknown lines 0. */
export interface JudgedLine {
  readonly function: string;
  readonly file: string;
  readonly line: number;
}

/** binutils' `addr2line` or LLVM's, which takes the same options. */
export type LineJudge = 'addr2line' | 'llvm-addr2line';

/** Asks for all addresses at once. Throws when the judge fails, or answers for other addresses. */
export function judgedLines(judge: LineJudge, path: string, addresses: readonly bigint[]): JudgedLine[][] {
  const command = judge === 'llvm-addr2line' ? llvmCommand() : judge;
  const result = spawnSync(command, ['-a', '-i', '-f', '-e', path], {
    input: addresses.map((each) => `0x${each.toString(16)}\n`).join(''),
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
  });
  if (result.status !== 0) throw new Error(`${command} ${path}: ${result.error?.message ?? result.stderr}`);
  const answers: JudgedLine[][] = [];
  const lines = result.stdout.split('\n');
  for (let i = 0; i < lines.length;) {
    const line = lines[i] ?? '';
    if (line.startsWith('0x')) {
      if (BigInt(line) !== addresses[answers.length]) throw new Error(`${command}: answers for ${line}`);
      answers.push([]);
      i++;
    } else if (line === '') {
      i++;
    } else {
      answers.at(-1)?.push(judgedLine(line, lines[i + 1] ?? ''));
      i += 2;
    }
  }
  if (answers.length !== addresses.length) throw new Error(`${command}: ${answers.length} answers`);
  return answers;
}

function judgedLine(name: string, place: string): JudgedLine {
  const at = place.replace(/ \(discriminator \d+\)$/u, '');
  const colon = at.lastIndexOf(':');
  const file = at.slice(0, colon);
  const line = Number(at.slice(colon + 1));
  return {
    function: name === '??' ? '' : name,
    file: file === '??' ? '' : file,
    line: Number.isNaN(line) ? 0 : line,
  };
}

/** Debian's package has it under its plain name, or with the version. */
function llvmCommand(): string {
  const known = ['llvm-addr2line', 'llvm-addr2line-14'].find(
    (each) => spawnSync(each, ['--version'], { stdio: 'ignore' }).status === 0,
  );
  if (known === undefined) throw new Error('no llvm-addr2line');
  return known;
}

/** Whether the judge is there at all: LLVM's is not on every machine. */
export function hasLlvmJudge(): boolean {
  return ['llvm-addr2line', 'llvm-addr2line-14'].some(
    (each) => spawnSync(each, ['--version'], { stdio: 'ignore' }).status === 0,
  );
}
