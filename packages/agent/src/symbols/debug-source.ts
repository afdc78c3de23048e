import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  asResult,
  crcOfSource,
  type DwarfFile,
  type DwarfLines,
  type ElfFile,
  FileSource,
  type FunctionTable,
  dwarfBytesOf,
  openDwarf,
  readBuildIds,
  readElfFile,
  readElfFunctions,
  readSupplementaryLink,
  scatteredFields,
} from '@everflame/binary';
import { hasSymbolTable } from './module-tables.ts';
import type { NameList } from './name-list.ts';
import { ownDescriptor } from './own-descriptor.ts';
import { SpilledDwarf } from './spilled-dwarf.ts';
import type { DebugLoadRequest } from './worker-messages.ts';

/** Of parsed units of one file. */
const unitBudget = 4 * 1024 * 1024;
/** `.dwo` files of one program that are open at a time; each is one unit, and closed when that is not needed any more. */
const mostSplitFiles = 64;
const overhead = 2048;
const pageCache = scatteredFields.bytes * scatteredFields.kept;

/** What debugging information knows of one module; owns its descriptors. */
export class DebugSource {
  readonly #request: DebugLoadRequest;
  readonly #descriptors: number[] = [];
  readonly #dwarfs = new Set<SpilledDwarf>();
  #functions: FunctionTable | undefined;
  #lines: DwarfLines | undefined;
  #damagedFiles = 0;

  constructor(request: DebugLoadRequest) {
    this.#request = request;
  }

  get byteLength(): number {
    const pages = (this.#descriptors.length + this.#dwarfs.size) * pageCache;
    return overhead + pages + (this.#functions?.byteLength ?? 0) + (this.#lines?.byteLength ?? 0);
  }

  /** Files and units that were damaged up to now. */
  get damagedUnits(): number {
    return this.#damagedFiles + (this.#lines?.damagedUnits ?? 0);
  }

  /** To be called once; close it if the answer is not 'ready'. */
  open(): 'ready' | 'other' | 'nothing' {
    const { main, separate } = this.#request;
    const split = separate === undefined ? undefined : this.#elfOf(ownDescriptor(separate.fd));
    if (separate !== undefined && (split === undefined || !this.#belongs(split))) return 'other';
    if (split !== undefined && hasSymbolTable(split)) {
      const functions = readElfFunctions(split);
      if (functions.ok) this.#functions = functions.value;
    }
    const opened = main === undefined ? undefined : this.#elfOf(ownDescriptor(main.fd));
    // The process may be gone, and another program be where its file was.
    const own = opened !== undefined && this.#isModule(opened) ? opened : undefined;
    const isSplit = split !== undefined && dwarfBytesOf(split) > 0;
    const elf = isSplit ? split : own !== undefined && dwarfBytesOf(own) > 0 ? own : undefined;
    if (elf !== undefined) this.#openLines(elf, (isSplit ? separate : main)?.path ?? '/');
    return this.#functions === undefined && this.#lines === undefined ? 'nothing' : 'ready';
  }

  name(address: bigint, index: number, into: NameList): void {
    const symbol = this.#functions?.find(address)?.systemName ?? '';
    const lines = this.#lines?.find(address);
    if (lines !== undefined) into.setLines(index, lines, symbol);
    else if (symbol !== '') into.set(index, symbol);
  }

  close(): void {
    for (const dwarf of this.#dwarfs) dwarf.close();
    for (const fd of this.#descriptors.splice(0)) closeSync(fd);
  }

  /** Without a build ID, whoever opened the file has compared its inode. */
  #isModule(elf: ElfFile): boolean {
    const { buildId } = this.#request;
    return buildId === '' || readBuildIds(elf).gnu === buildId;
  }

  /** The build ID proves it; where there is none, the checksum in the link does. */
  #belongs(elf: ElfFile): boolean {
    const { buildId, link } = this.#request;
    const found = readBuildIds(elf).gnu;
    if (buildId !== '' || found !== '') return found === buildId;
    return link !== undefined && crcOfSource(elf.source) === link.crc;
  }

  #openLines(elf: ElfFile, path: string): void {
    const opened = openDwarf(this.#dwarf(elf, []), {
      supplementary: this.#supplementary(elf, path),
      packageFile: this.#packageFile(),
      split: (name, directory) => this.#splitFile(name, directory, path),
      budgetBytes: unitBudget,
    });
    if (opened.ok) this.#lines = opened.value;
    else this.#damagedFiles++;
  }

  /** The file that `dwz` made: an absolute path, or relative to the file that names it; or by its build ID. */
  #supplementary(elf: ElfFile, path: string): DwarfFile | undefined {
    const link = readSupplementaryLink(elf);
    if (link === undefined) return undefined;
    const { buildId } = link;
    const paths = [join(dirname(path), link.path)];
    if (link.path.startsWith('/')) paths.unshift(link.path);
    if (buildId.length > 2) {
      paths.push(join(this.#request.debugDirectory, '.build-id', buildId.slice(0, 2), `${buildId.slice(2)}.debug`));
    }
    return this.#find(paths, (found) => readBuildIds(found).gnu === buildId);
  }

  #packageFile(): DwarfFile | undefined {
    const path = this.#request.main?.path;
    return path === undefined ? undefined : this.#find([`${path}.dwp`], () => true);
  }

  /** The compiler's own path, or else beside the program. */
  #splitFile(name: string, directory: string, programPath: string): DwarfFile | undefined {
    const path = join('/', directory, name);
    const written = name.startsWith('/') ? join('/', name) : path;
    if (this.#dwarfs.size >= mostSplitFiles) return undefined;
    return this.#find([written, join(dirname(programPath), name)], () => true);
  }

  #find(paths: readonly string[], isRight: (elf: ElfFile) => boolean): SpilledDwarf | undefined {
    for (const root of this.#request.roots) {
      for (const path of paths) {
        const fd = openRegular(join(root, path));
        if (fd === undefined) continue;
        const elf = readElf(fd);
        if (elf !== undefined && isRight(elf)) return this.#dwarf(elf, [fd]);
        closeSync(fd);
      }
    }
    return undefined;
  }

  #dwarf(elf: ElfFile, descriptors: readonly number[]): SpilledDwarf {
    const dwarf = new SpilledDwarf(elf, descriptors, (closed) => this.#dwarfs.delete(closed));
    this.#dwarfs.add(dwarf);
    return dwarf;
  }

  /** Takes the descriptor over. */
  #elfOf(fd: number): ElfFile | undefined {
    this.#descriptors.push(fd);
    return readElf(fd);
  }
}

function readElf(fd: number): ElfFile | undefined {
  const source = asResult(() => new FileSource(fd, fstatSync(fd).size, scatteredFields));
  const elf = source.ok ? readElfFile(source.value) : source;
  return elf.ok ? elf.value : undefined;
}

function openRegular(path: string): number | undefined {
  const opened = asResult(() => openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY));
  if (!opened.ok) return undefined;
  const stat = asResult(() => fstatSync(opened.value));
  if (stat.ok && stat.value.isFile()) return opened.value;
  closeSync(opened.value);
  return undefined;
}
