// Writes `expected.txt` of the corpus of DWARF: what the judges say. Started by test/corpus/dwarf/make.sh.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { judgedLines } from './addr2line.ts';
import { dwarfCorpusFiles, dwarfCorpusFolders } from './dwarf-corpus.ts';
import { codeAddresses, drawChain, DwarfOnDisk } from './dwarf-judge.ts';

for (const folder of dwarfCorpusFolders()) {
  // The .dwo files are beside the executables.
  process.chdir(folder);
  const lines: string[] = [];
  for (const file of dwarfCorpusFiles(folder)) {
    const disk = new DwarfOnDisk(join(folder, file));
    const addresses = codeAddresses(disk.elf);
    disk.close();
    // The same program in one plain file, where no judge reads the kind of file.
    const twin = file.replace('-split-', '-').replace('-zstd', '-v5');
    const answers = judgedLines(file.startsWith('dwz-') ? 'addr2line' : 'llvm-addr2line', twin, addresses);
    lines.push(`@ ${file}`);
    let last = '';
    for (const [i, answer] of answers.entries()) {
      const isKnown = answer.some(({ line, file: path }) => line > 0 || path !== '');
      const chain = isKnown ? drawChain(answer) : '-';
      if (chain !== last) lines.push(`0x${(addresses[i] ?? 0n).toString(16)} ${chain}`);
      last = chain;
    }
  }
  writeFileSync(join(folder, 'expected.txt'), `${lines.join('\n')}\n`);
}
