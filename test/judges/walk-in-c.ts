import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { machines, openUnwindVector, type UnwindEnd, type UnwindTable, type UnwindVector } from '@everflame/binary';

/** What a walk found, in the words of both twins. */
export interface WalkResult {
  /** `unknown`: a copy of the stack would be made, and unwound later. */
  readonly end: UnwindEnd | 'unknown';
  readonly guessedFrom: number;
  readonly addresses: readonly string[];
}

/** EF_END_… of bpf/abi.h, by number. */
const ends: readonly (UnwindEnd | undefined)[] = [
  undefined,
  'complete',
  'depth',
  'no_mapping',
  'no_table',
  'gap',
  'bad_read',
  'lost_register',
  'stack_order',
  'zero_return',
];
const endUnknown = 255;
const kinds = { pending: 0, table: 1, frame_pointer: 2, v8: 5, none: 3 } as const;

/** bpf/'s unwinder, compiled for user space by gcc. */
export class WalkInC {
  readonly #folder = mkdtempSync(join(tmpdir(), 'everflame-walk-'));
  readonly #programs = new Map<number, string>();

  /** Walks vectors of one machine. */
  walk(vectors: readonly UnwindVector[]): WalkResult[] {
    const machine = vectors[0]?.machine ?? machines.x86_64;
    const input = vectors.map(describe).join('\n');
    const output = execFileSync(this.#program(machine), { input, encoding: 'utf8', maxBuffer: 1 << 28 });
    return output.trimEnd().split('\n').map(parse);
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true });
  }

  #program(machine: number): string {
    let program = this.#programs.get(machine);
    if (program === undefined) {
      program = join(this.#folder, `walk-${machine}`);
      const here = fileURLToPath(new URL('.', import.meta.url));
      const target = machine === machines.aarch64 ? '__TARGET_ARCH_arm64' : '__TARGET_ARCH_x86';
      const flags = [
        '-O1',
        '-Wall',
        '-Werror',
        '-Wno-unknown-pragmas',
        '-Wno-unused-function',
        '-fsanitize=undefined',
        '-fno-sanitize-recover',
      ];
      const includes = [`-I${here}bpf-shim`, `-I${here}../../bpf`];
      execFileSync('gcc', [...flags, ...includes, `-D${target}`, `${here}walk-vectors.c`, '-o', program]);
      this.#programs.set(machine, program);
    }
    return program;
  }
}

/** As walk-vectors.c reads it. */
function describe(vector: UnwindVector): string {
  const { mappings } = openUnwindVector(vector);
  const tables: UnwindTable[] = [];
  const numbers: (bigint | number)[] = [vector.machine === machines.i386 ? 4 : 8, BigInt(vector.pc)];
  for (let i = 0; i < 32; i++) numbers.push(BigInt(vector.registers[i] ?? 0));
  numbers.push(mappings.length);
  for (const { start, end, bias, unwind } of mappings) {
    if (unwind.by === 'table') {
      const table = unwind.table as UnwindTable;
      const slot = tables.push(table) - 1;
      const offset = BigInt.asUintN(64, BigInt(bias) + BigInt(table.base));
      numbers.push(start, end, offset, slot, kinds.table, table.flags, table.pageCount);
    } else {
      numbers.push(start, end, 0, 0, kinds[unwind.by], 0, 0);
    }
  }
  numbers.push(tables.length);
  for (const { words } of tables) {
    numbers.push(words.length / 2);
    for (let at = 0; at < words.length; at += 2) {
      numbers.push((BigInt(words[at + 1] ?? 0) << 32n) | BigInt(words[at] ?? 0));
    }
  }
  const memory = vector.memory
    .map(([address, word]) => [BigInt(address), BigInt(word)] as const)
    .sort(([one], [other]) => (one < other ? -1 : 1));
  numbers.push(memory.length, ...memory.flat());
  return numbers.map((each) => each.toString(16)).join(' ');
}

function parse(line: string): WalkResult {
  const [end, guessedFrom, count, ...addresses] = line.split(' ');
  const name = Number(end) === endUnknown ? 'unknown' : ends[Number(end)];
  if (name === undefined || addresses.length !== Number(count)) throw new Error(`walk-vectors printed ${line}`);
  return { end: name, guessedFrom: Number(guessedFrom), addresses: addresses.map((each) => `0x${each}`) };
}
