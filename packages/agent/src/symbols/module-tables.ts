import { closeSync } from 'node:fs';
import {
  asResult,
  type BinaryResult,
  type ElfFile,
  FileSource,
  type FunctionTable,
  type GoFunctions,
  openGoFunctions,
  readElfFile,
  readElfFunctions,
  readMiniDebugInfo,
  scatteredFields,
  sectionTypes,
} from '@everflame/binary';
import type { NameList } from './name-list.ts';
import { ownDescriptor } from './own-descriptor.ts';
import type { LoadRequest } from './worker-messages.ts';

/** What a module costs beside its table, so that thousands of stripped files do not count as nothing. */
const moduleOverhead = 512;

/** What names the addresses of one file: Go's own table, which is read on demand from a descriptor that it owns, and the functions of its symbol tables. */
export class ModuleTables {
  readonly functions: FunctionTable | undefined;
  readonly #go: OpenGo | undefined;

  constructor(functions: FunctionTable | undefined, go: OpenGo | undefined) {
    this.functions = functions;
    this.#go = go;
  }

  /** Of symbols; Go's table is not counted through. */
  get length(): number {
    return (this.functions?.length ?? 0) + (this.#go?.functions.length ?? 0);
  }

  /** Whether there is more than symbols to tell of every address. */
  get isGo(): boolean {
    return this.#go !== undefined;
  }

  get byteLength(): number {
    const pages = this.#go === undefined ? 0 : scatteredFields.bytes * scatteredFields.kept;
    return moduleOverhead + pages + (this.functions?.byteLength ?? 0);
  }

  name(address: bigint, index: number, into: NameList): void {
    const lines = this.#go?.functions.find(address);
    if (lines !== undefined) {
      into.setLines(index, lines);
      return;
    }
    const found = this.functions?.find(address);
    if (found !== undefined && found.systemName !== '') into.set(index, found.systemName);
  }

  close(): void {
    if (this.#go?.fd !== undefined) closeSync(this.#go.fd);
  }
}

interface OpenGo {
  readonly functions: GoFunctions;
  readonly fd: number | undefined;
}

/** Whether a file still has its full symbol table, so that no other is needed. */
export function hasSymbolTable(elf: ElfFile): boolean {
  return elf.sections.some(({ type }) => type === sectionTypes.symtab);
}

/** Reads the tables of a file whose headers are read. What of it is damaged is left out, unless it is the symbols. */
export async function readModuleTables(
  elf: ElfFile,
  content: LoadRequest['content'],
): Promise<BinaryResult<ModuleTables>> {
  const go = openGo(elf, content);
  // Go's table has all functions of a program that Go alone made; C code comes with descriptions of its frames.
  const isPureGo =
    go !== undefined && elf.sections.length > 0 && !elf.sections.some(({ name }) => name === '.eh_frame');
  if (isPureGo) return { ok: true, value: new ModuleTables(undefined, go) };
  const mini = hasSymbolTable(elf) ? undefined : await readMiniDebugInfo(elf);
  const others = mini?.ok === true && mini.value !== undefined ? [mini.value] : [];
  const functions = readElfFunctions(elf, others);
  if (!functions.ok) {
    if (go?.fd !== undefined) closeSync(go.fd);
    return functions;
  }
  return { ok: true, value: new ModuleTables(functions.value, go) };
}

/** Go's table, read through a descriptor of its own. */
function openGo(elf: ElfFile, content: LoadRequest['content']): OpenGo | undefined {
  const found = openGoFunctions(elf);
  if (!found.ok || found.value === undefined) return undefined;
  if ('image' in content) return { functions: found.value, fd: undefined };
  const fd = asResult(() => ownDescriptor(content.fd));
  if (!fd.ok) return undefined;
  const own = asResult(() => new FileSource(fd.value, elf.source.size, scatteredFields));
  const reopened = own.ok ? readElfFile(own.value) : own;
  const functions = reopened.ok ? openGoFunctions(reopened.value) : reopened;
  if (functions.ok && functions.value !== undefined) return { functions: functions.value, fd: fd.value };
  closeSync(fd.value);
  return undefined;
}
