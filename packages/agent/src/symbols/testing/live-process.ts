import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { FileSource, readBuildIds, readElfFile } from '@everflame/binary';
import { afterAll, afterEach } from 'vitest';
import { LossCounters } from '../../health/counters.ts';
import type { ProcessMapping, ProcessView } from '../../processes/process.ts';
import { createSymbolizer, type MeasuredSymbolizer, type SymbolizerOptions } from '../create-symbolizer.ts';

/** A process that runs now, as the agent's process table shows it; build IDs are read from the files, as the kernel's records have them. */
export function liveProcess(pid: number, withBuildIds = true): ProcessView {
  const mappings: ProcessMapping[] = [];
  for (const line of readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')) {
    const match = /^([0-9a-f]+)-([0-9a-f]+) ..x. ([0-9a-f]+) (\S+) (\d+)\s*(.*)$/.exec(line);
    if (match === null) continue;
    const [, start = '', end = '', fileOffset = '', device = '', inode = '', path = ''] = match;
    mappings.push({
      start: BigInt(`0x${start}`),
      end: BigInt(`0x${end}`),
      fileOffset: BigInt(`0x${fileOffset}`),
      path: path === '' ? '//anon' : path,
      buildId: withBuildIds && path.startsWith('/') ? buildIdOf(mapFile(pid, start, end)) : '',
      device,
      inode: BigInt(inode),
    });
  }
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const executableName = /^Name:\t(.*)$/m.exec(status)?.[1] ?? '';
  const namespacePid = Number(/^NSpid:.*?(\d+)$/m.exec(status)?.[1] ?? pid);
  return { pid, namespacePid, startTimeNs: 1n, executablePath: '', executableName, mappings, isKernelThread: false };
}

/** The kernel names these files without the leading zeros that it prints in maps. */
function mapFile(pid: number, start: string, end: string): string {
  return `/proc/${pid}/map_files/${[start, end].map((hex) => BigInt(`0x${hex}`).toString(16)).join('-')}`;
}

function buildIdOf(path: string): string {
  const fd = openSync(path, 'r');
  try {
    const elf = readElfFile(new FileSource(fd));
    return elf.ok ? readBuildIds(elf.value).gnu : '';
  } finally {
    closeSync(fd);
  }
}

/** The leaf addresses' first names, in order. */
export async function namesOf(
  symbolizer: MeasuredSymbolizer,
  process: ProcessView,
  addresses: readonly bigint[],
): Promise<string[]> {
  const isLeaf = new Uint8Array(addresses.length).fill(1);
  const locations = await symbolizer.resolveUser(process, BigUint64Array.from(addresses), isLeaf);
  return locations.map(({ lines }) => lines[0]?.name ?? '');
}

/** Symbolizers, children and directories that end with their test or test file. */
export class LiveTest {
  losses = new LossCounters();
  readonly directory = mkdtempSync(join(tmpdir(), 'everflame-symbols-'));
  readonly #children: ChildProcess[] = [];
  readonly #symbolizers: MeasuredSymbolizer[] = [];

  constructor() {
    afterEach(async () => {
      for (const child of this.#children.splice(0)) child.kill('SIGKILL');
      for (const symbolizer of this.#symbolizers.splice(0)) await symbolizer.close();
      this.losses = new LossCounters();
    });
    afterAll(() => rmSync(this.directory, { recursive: true, force: true }));
  }

  symbolizer(options: Omit<SymbolizerOptions, 'lossCounters'> = {}): MeasuredSymbolizer {
    const symbolizer = createSymbolizer({ lossCounters: this.losses, readsKernelAhead: false, ...options });
    this.#symbolizers.push(symbolizer);
    return symbolizer;
  }

  /** Starts a program and resolves with its PID and what it printed before the line `ready`. */
  async start(
    command: string,
    args: readonly string[] = [],
  ): Promise<{
    readonly pid: number;
    readonly printed: string[];
    readonly end: (signal?: NodeJS.Signals) => Promise<void>;
  }> {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'], cwd: this.directory });
    this.#children.push(child);
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    const printed: string[] = [];
    for await (const line of createInterface({ input: child.stdout })) {
      if (line === 'ready') {
        const end = async (signal: NodeJS.Signals = 'SIGKILL'): Promise<void> => {
          child.kill(signal);
          await exited;
        };
        return { pid: child.pid ?? 0, printed, end };
      }
      printed.push(line);
    }
    throw new Error(`${command} ended: ${printed.join('\n')}`);
  }

  /** Totals above zero, as `name/cause`. */
  lost(): Record<string, number> {
    return Object.fromEntries(
      this.losses.rows().flatMap(({ name, cause, total }) => (total > 0 ? [[`${name}/${cause}`, total]] : [])),
    );
  }
}
