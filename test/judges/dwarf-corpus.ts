import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Folders of the corpus of DWARF, by compiler. */
export function dwarfCorpusFolders(): string[] {
  const root = fileURLToPath(new URL('../corpus/dwarf', import.meta.url));
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== 'programs')
    .map(({ name }) => join(root, name))
    .sort();
}

/** The executables in a folder. */
export function dwarfCorpusFiles(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => !name.includes('.'))
    .sort();
}
