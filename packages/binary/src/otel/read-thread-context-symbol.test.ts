import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { BufferSource } from '../byte-source.ts';
import { readElfFile } from '../elf/elf-file.ts';
import { mutations } from '../testing/mutate.ts';
import { TemporaryFiles } from '../testing/temporary-files.ts';
import { readThreadContextSymbol, type ThreadContextSymbol } from './read-thread-context-symbol.ts';

const files = new TemporaryFiles();
const source = `
__thread long before[3] = { 1 };
__thread void *otel_thread_ctx_v1;
void **of_thread(void) { return &otel_thread_ctx_v1; }
int main(void) { return (int)before[0]; }
`;

function build(name: string, flags: readonly string[]): string {
  const path = files.path(name);
  execFileSync('gcc', ['-O1', ...flags, '-o', path, files.write(`${name}.c`, source)]);
  return path;
}

function symbolOf(bytes: Uint8Array): ThreadContextSymbol | undefined {
  const elf = readElfFile(new BufferSource(bytes));
  const symbol = elf.ok ? readThreadContextSymbol(elf.value) : elf;
  if (!symbol.ok) throw new Error(symbol.error.detail);
  return symbol.value;
}

/** What readelf says of the variable and of its relocations. */
function judged(path: string): { readonly offset: number; readonly slots: readonly string[] } {
  const readelf = (...flags: string[]): string => execFileSync('readelf', ['-W', ...flags, path], { encoding: 'utf8' });
  const offset = /^ *\d+: ([0-9a-f]+) .* TLS .* otel_thread_ctx_v1$/mu.exec(readelf('--dyn-syms'))?.[1] ?? '';
  const lines = readelf('-r').matchAll(/^([0-9a-f]+) .* R_X86_64_(TLSDESC|DTPMOD64|TPOFF64) .*otel_thread_ctx_v1/gmu);
  const kinds: Readonly<Record<string, string>> = { TLSDESC: 'descriptor', DTPMOD64: 'module', TPOFF64: 'offset' };
  const slots = [...lines].map(([, address = '', kind = '']) => `${kinds[kind]} ${Number.parseInt(address, 16)}`);
  return { offset: Number.parseInt(offset, 16), slots };
}

test.each([
  ['gnu', ['-mtls-dialect=gnu']],
  ['gnu2', ['-mtls-dialect=gnu2']],
  ['initial-exec', ['-ftls-model=initial-exec']],
])('a library of the model %s: its variable and where the loader says how to get at it', (name, flags) => {
  const library = build(`lib${name}.so`, ['-fPIC', '-shared', ...flags]);
  const found = symbolOf(readFileSync(library));
  const expected = judged(library);
  expect(expected.slots.length).toBeGreaterThan(0);
  expect(found?.offset).toBe(expected.offset);
  expect(found?.slots.map(({ kind, address }) => `${kind} ${address}`)).toEqual(expected.slots);
});

test('a library whose linker knew that the variable is its own has relocations without a symbol', () => {
  const library = build('libsymbolic.so', ['-fPIC', '-shared', '-mtls-dialect=gnu2', '-Wl,-Bsymbolic']);
  const found = symbolOf(readFileSync(library));
  expect(found?.slots.map(({ kind }) => kind)).toContain('descriptor');
});

test.each([
  ['pie', []],
  ['fixed', ['-no-pie']],
])('in a program (%s) the variable lies as far below the thread pointer as its code says', (name, flags) => {
  const program = build(name, ['-rdynamic', ...flags]);
  const found = symbolOf(readFileSync(program));
  // of_thread: mov %fs:0,%rax; lea OFFSET(%rax) or add $OFFSET.
  const code = execFileSync('objdump', ['-d', '--no-show-raw-insn', program], { encoding: 'utf8' });
  const text = code.slice(code.indexOf('<of_thread>:'), code.indexOf('ret', code.indexOf('<of_thread>:')));
  const [, below, added] = /(?:lea +-0x([0-9a-f]+)\(%rax\)|add +\$0x([0-9a-f]+),%rax)/u.exec(text) ?? [];
  const offset = below === undefined ? BigInt.asIntN(64, BigInt(`0x${added ?? '0'}`)) : -BigInt(`0x${below}`);
  expect(offset).toBeLessThan(0n);
  expect(found?.programOffset).toBe(Number(offset));
});

test('other programs do not have it', () => {
  expect(symbolOf(readFileSync('/bin/sh'))).toBeUndefined();
  expect(symbolOf(readFileSync(build('hidden', [])))).toBeUndefined();
});

test('a file that is cut or changed anywhere is refused or answered, and nothing is thrown', () => {
  const bytes = readFileSync(build('libfuzzed.so', ['-fPIC', '-shared', '-mtls-dialect=gnu2', '-s']));
  const slotCounts: number[] = [];
  const read = (mutated: Uint8Array): void => {
    const elf = readElfFile(new BufferSource(mutated));
    const found = elf.ok ? readThreadContextSymbol(elf.value) : elf;
    if (found.ok && found.value !== undefined) slotCounts.push(found.value.slots.length);
  };
  for (let length = 0; length < bytes.length; length += 97) read(bytes.subarray(0, length));
  for (const mutated of mutations(bytes, 3000, 11)) read(mutated);
  expect(slotCounts.length).toBeGreaterThan(100);
  expect(Math.max(...slotCounts)).toBeLessThanOrEqual(16);
});
