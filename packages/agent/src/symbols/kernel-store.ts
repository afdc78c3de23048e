import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { asResult, buildIdOfNotes, type Demangler, type KernelSymbols, readKernelSymbols } from '@everflame/binary';
import { NameList } from './name-list.ts';
import type { KernelModuleInfo, KernelReply, KernelRequest } from './worker-messages.ts';

/** Reading costs some 0.3 s of CPU, so an unknown address or changed modules lead to it at most this often. */
const rereadMs = 30_000;
/** Four times a distribution's kernel with all modules. */
const mostBytes = 64 * 1024 * 1024;
/** The kernel gives a page or two at a time whatever is asked for. */
const pieceBytes = 64 * 1024;
/**
 * Where the linker places `_text`: what address randomisation adds is taken off, so that a kernel build has the same addresses on every host
 * and after every boot, and they are those of its `vmlinux`. x86-64: __START_KERNEL_map + CONFIG_PHYSICAL_START's default.
 * arm64: KIMAGE_VADDR of 48-bit kernels since 6.6; elsewhere a constant is off, which harms no comparison.
 */
const linkedText: Readonly<Record<string, bigint>> = {
  x64: 0xffff_ffff_8100_0000n,
  arm64: 0xffff_8000_8000_0000n,
};

/** The running kernel's symbols. Lives in the worker. */
export class KernelStore {
  readonly #demangler: Demangler;
  #symbols: KernelSymbols | undefined;
  #readMs = -Infinity;
  #moduleList = '';
  #bases = new Map<string, bigint>();
  #infos = new Map<string, KernelModuleInfo>();
  #generation = 0;
  #failures = 0;

  constructor(demangler: Demangler) {
    this.#demangler = demangler;
  }

  get byteLength(): number {
    return this.#symbols?.byteLength ?? 0;
  }

  /** Times that the symbols could not be read since the last call. */
  takeFailures(): number {
    const failures = this.#failures;
    this.#failures = 0;
    return failures;
  }

  name({ addresses }: KernelRequest, nowMs: number): KernelReply {
    if (this.#isOutdated(addresses, nowMs)) this.#reread(nowMs);
    const names = new NameList(addresses.length, this.#demangler);
    const linkAddresses = new BigUint64Array(addresses.length);
    const moduleOf = new Uint16Array(addresses.length);
    const modules: KernelModuleInfo[] = [];
    const indices = new Map<string, number>();
    for (const [i, address] of addresses.entries()) {
      const found = this.#symbols?.find(address);
      if (found !== undefined) names.set(i, found.systemName);
      const module = found?.module ?? '';
      let index = indices.get(module);
      if (index === undefined) {
        index = modules.push(this.#info(module)) - 1;
        indices.set(module, index);
      }
      moduleOf[i] = index;
      linkAddresses[i] = address - this.#displacement(module);
    }
    return { named: names.finish(), linkAddresses, moduleOf, modules, generation: this.#generation };
  }

  #isOutdated(addresses: BigUint64Array, nowMs: number): boolean {
    if (this.#generation === 0) return true;
    if (nowMs - this.#readMs < rereadMs) return false;
    return (
      readModuleList() !== this.#moduleList || addresses.some((address) => this.#symbols?.find(address) === undefined)
    );
  }

  #reread(nowMs: number): void {
    this.#readMs = nowMs;
    this.#generation++;
    this.#infos = new Map();
    this.#moduleList = readModuleList();
    this.#bases = modulesBases(this.#moduleList);
    const symbols = readKernelSymbols(kallsymsPieces());
    if (symbols.ok) this.#symbols = symbols.value;
    else this.#failures++;
  }

  /** What to take off an address to get the linker's. */
  #displacement(module: string): bigint {
    if (module !== '') return this.#bases.get(module) ?? 0n;
    const linked = linkedText[process.arch];
    const start = this.#symbols?.textStart;
    return linked === undefined || start === undefined ? 0n : start - linked;
  }

  #info(module: string): KernelModuleInfo {
    let info = this.#infos.get(module);
    if (info === undefined) {
      info =
        module === ''
          ? this.#kernelInfo()
          : { file: `[${module}]`, buildId: moduleBuildId(module), memoryStart: 0n, memoryLimit: 0n };
      this.#infos.set(module, info);
    }
    return info;
  }

  #kernelInfo(): KernelModuleInfo {
    const displacement = this.#displacement('');
    return {
      file: '[kernel.kallsyms]',
      buildId: notesBuildId('/sys/kernel/notes'),
      memoryStart: (this.#symbols?.textStart ?? 0n) - (this.#symbols?.textStart === undefined ? 0n : displacement),
      memoryLimit: (this.#symbols?.textEnd ?? 0n) - (this.#symbols?.textEnd === undefined ? 0n : displacement),
    };
  }
}

function readModuleList(): string {
  const list = asResult(() => readFileSync('/proc/modules', 'utf8'));
  // A kernel without modules has no such file.
  return list.ok ? list.value : '';
}

/** `name size users dependents state address`; an address of 0 is a hidden one. */
function modulesBases(list: string): Map<string, bigint> {
  const bases = new Map<string, bigint>();
  for (const line of list.split('\n')) {
    const [name, , , , , address] = line.split(' ');
    if (name !== undefined && address !== undefined && /^0x[0-9a-f]{1,16}$/.test(address))
      bases.set(name, BigInt(address));
  }
  return bases;
}

function moduleBuildId(module: string): string {
  // Names come from the kernel, but a slash would leave the directory.
  return module.includes('/') ? '' : notesBuildId(`/sys/module/${module}/notes/.note.gnu.build-id`);
}

function notesBuildId(path: string): string {
  const notes = asResult(() => readFileSync(path));
  if (!notes.ok) return '';
  const buildId = buildIdOfNotes(notes.value);
  return buildId.ok ? buildId.value : '';
}

/** The file says it is empty, so it is read until its end; each piece is valid until the next. */
function* kallsymsPieces(): Generator<Uint8Array> {
  const fd = openSync('/proc/kallsyms', 'r');
  try {
    const piece = new Uint8Array(pieceBytes);
    for (let length = 0; length < mostBytes;) {
      const count = readSync(fd, piece, 0, piece.length, null);
      if (count === 0) return;
      length += count;
      yield piece.subarray(0, count);
    }
  } finally {
    closeSync(fd);
  }
}
