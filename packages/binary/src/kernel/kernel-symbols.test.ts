import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { mutations } from '../testing/mutate.ts';
import { randomNumbers } from '../testing/random.ts';
import { readKernelSymbols } from './kernel-symbols.ts';

const listing = `0000000000000000 A fixed_percpu_data
ffffffff81000000 T _stext
ffffffff81000000 T _text
ffffffff81000000 T startup_64
ffffffff81000040 t __local_alias
ffffffff81000040 T global_alias
ffffffff81000080 W weak_one
ffffffff82000000 T _etext
ffffffff82600000 D some_data
ffffffffc0100000 t mod_init\t[nf_tables]
ffffffffc0100020 t mod_last\t[nf_tables]
ffffffffc0300010 t bpf_prog_6deef7357e7b4530_sd_devices\t[bpf]
`;

function symbolsOf(text: string): ReturnType<typeof readKernelSymbols> {
  return readKernelSymbols([Buffer.from(text)]);
}

test('each function reaches to the next one, the last of a module to the end of the page after its own', () => {
  const symbols = symbolsOf(listing);
  if (!symbols.ok) throw new Error(symbols.error.detail);
  const at = (address: bigint): string => {
    const found = symbols.value.find(address);
    return found === undefined ? '-' : `${found.systemName}${found.module === '' ? '' : ` [${found.module}]`}`;
  };
  expect(at(0xffff_ffff_8100_0010n)).toBe('startup_64');
  expect(at(0xffff_ffff_8100_0040n)).toBe('global_alias');
  expect(at(0xffff_ffff_8100_0090n)).toBe('weak_one');
  expect(at(0xffff_ffff_80ff_ffffn)).toBe('-');
  expect(at(0xffff_ffff_c010_0010n)).toBe('mod_init [nf_tables]');
  expect(at(0xffff_ffff_c010_0021n)).toBe('mod_last [nf_tables]');
  expect(at(0xffff_ffff_c010_2000n)).toBe('-');
  expect(at(0xffff_ffff_c030_0020n)).toBe('bpf_prog_6deef7357e7b4530_sd_devices [bpf]');
  expect([symbols.value.textStart, symbols.value.textEnd]).toEqual([0xffff_ffff_8100_0000n, 0xffff_ffff_8200_0000n]);
});

test('a text in pieces of any size is the same text, and a line that never ends is left out', () => {
  const whole = symbolsOf(listing);
  const text = Buffer.from(listing);
  const drawn = (result: ReturnType<typeof symbolsOf>): string[] => {
    if (!result.ok) throw new Error(result.error.detail);
    return Array.from({ length: result.value.length }, (_, i) => {
      const { start, end, systemName, module } = result.value.at(i);
      return `${start.toString(16)} ${end.toString(16)} ${systemName} ${module}`;
    });
  };
  for (let size = 1; size < 200; size++) {
    const pieces = Array.from({ length: Math.ceil(text.length / size) }, (_, i) =>
      text.subarray(i * size, (i + 1) * size),
    );
    expect(drawn(readKernelSymbols(pieces))).toEqual(drawn(whole));
  }
  const endless = Buffer.from(`ffffffff81000000 T ${'a'.repeat(5000)}\n`);
  expect(drawn(readKernelSymbols([endless.subarray(0, 3000), endless.subarray(3000), text]))).toEqual(drawn(whole));
});

test('hidden addresses and other texts are refused in words', () => {
  const hidden = listing.replaceAll(/^[0-9a-f]{16}/gm, '0'.repeat(16));
  expect(symbolsOf(hidden)).toMatchObject({ ok: false, error: { code: 'unsupported' } });
  expect(symbolsOf('')).toMatchObject({ ok: false, error: { code: 'malformed' } });
  expect(symbolsOf('what\n\n\0\0')).toMatchObject({ ok: false, error: { code: 'malformed' } });
});

test('every cut and damaged copies are read without a throw', () => {
  const valid = Buffer.from(listing);
  for (let cut = 0; cut <= valid.length; cut++) readKernelSymbols([valid.subarray(0, cut)]);
  let readable = 0;
  for (const bytes of mutations(valid, 2000, 17)) if (readKernelSymbols([bytes]).ok) readable++;
  expect(readable).toBeGreaterThan(1000);
});

const kallsyms = readFileSync('/proc/kallsyms');
const isHidden = !/^(?!0{16})[0-9a-f]{16} [tT]/m.test(kallsyms.subarray(0, 1 << 20).toString('latin1'));

test.skipIf(isHidden)('a thousand random functions of this kernel are found by their addresses (needs root)', () => {
  const started = performance.now();
  const symbols = readKernelSymbols([kallsyms]);
  const elapsedMs = performance.now() - started;
  if (!symbols.ok) throw new Error(symbols.error.detail);
  const lines = kallsyms
    .toString('latin1')
    .split('\n')
    .filter((line) => /^f\S+ [tT]/.test(line));
  const names = new Map<string, Set<string>>();
  for (const line of lines) {
    const [address = '', , name = ''] = line.split(/[ \t]/);
    names.set(address, (names.get(address) ?? new Set()).add(name));
  }
  const random = randomNumbers(1);
  for (let i = 0; i < 1000; i++) {
    const [address = ''] = (lines[Math.floor(random() * lines.length)] ?? '').split(' ');
    expect(names.get(address)).toContain(symbols.value.find(BigInt(`0x${address}`))?.systemName);
  }
  expect(symbols.value.byteLength / symbols.value.length).toBeLessThan(24);
  expect(elapsedMs).toBeLessThan(5000);
});
