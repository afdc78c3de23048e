import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import {
  asResult,
  type ElfFile,
  FileSource,
  type FunctionTable,
  readBuildIds,
  readElfFile,
  readElfFunctions,
  sectionTypes,
} from '@everflame/binary';

/** Whether a file still has its full symbol table, so that no other is needed. */
export function hasSymbolTable(elf: ElfFile): boolean {
  return elf.sections.some(({ type }) => type === sectionTypes.symtab);
}

/**
 * The functions of the separate debug file of a stripped binary, as distributions' debug packages install it
 * (`/usr/lib/debug/.build-id/xx/yyyy.debug`); undefined where there is none with that build ID.
 */
export function readDebugFunctions(buildId: string, debugDirectory: string): FunctionTable | undefined {
  if (!/^[0-9a-f]{4,}$/.test(buildId)) return undefined;
  const path = join(debugDirectory, '.build-id', buildId.slice(0, 2), `${buildId.slice(2)}.debug`);
  const fd = asResult(() => openSync(path, 'r'));
  if (!fd.ok) return undefined;
  try {
    const source = asResult(() => new FileSource(fd.value));
    const elf = source.ok ? readElfFile(source.value) : source;
    if (!elf.ok || readBuildIds(elf.value).gnu !== buildId) return undefined;
    const functions = readElfFunctions(elf.value);
    return functions.ok ? functions.value : undefined;
  } finally {
    closeSync(fd.value);
  }
}
