import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { LiveTest } from './testing/live-process.ts';

const live = new LiveTest();
const lines = readFileSync('/proc/kallsyms', 'latin1')
  .split('\n')
  .filter((line) => /^f\S+ [tT] [^\t]+$/.test(line));

test.skipIf(lines.length === 0)(
  'kernel functions have their names, build ID and linked addresses (needs root)',
  async () => {
    const symbolizer = live.symbolizer();
    const names = new Map<bigint, string[]>();
    for (const line of lines) {
      const [address = '', , name = ''] = line.split(' ');
      const at = BigInt(`0x${address}`);
      names.set(at, [...(names.get(at) ?? []), name]);
    }
    const addresses = BigUint64Array.from([...names.keys()].filter((_, i) => i % 97 === 0));
    const locations = await symbolizer.resolveKernel(addresses, new Uint8Array(addresses.length).fill(1));
    const wrong = locations.filter(
      ({ lines: [line] }, i) => !names.get(addresses[i] ?? 0n)?.includes(line?.name ?? ''),
    );
    expect(wrong).toEqual([]);
    const notes = readFileSync('/sys/kernel/notes').toString('hex');
    const [first] = locations;
    expect(first?.mapping.file).toBe('[kernel.kallsyms]');
    expect(notes).toContain(first?.mapping.buildId);
    expect(first?.mapping.buildId).toMatch(/^[0-9a-f]{40}$/);
    // The offset from _text is the same on every boot; _text is where the linker put it.
    const text = /^([0-9a-f]+) T _text$/m.exec(lines.join('\n'))?.[1] ?? '';
    const linked = process.arch === 'x64' ? 0xffff_ffff_8100_0000n : 0xffff_8000_8000_0000n;
    for (const [i, location] of locations.entries()) {
      expect(location.address - linked).toBe((addresses[i] ?? 0n) - BigInt(`0x${text}`));
      expect(location.kind).toBe('kernel');
    }
    expect(live.lost()).toEqual({});
  },
);

test.skipIf(lines.length === 0)(
  'a return address is looked up one byte before, and an address of nothing is [kernel+address] (needs root)',
  async () => {
    const symbolizer = live.symbolizer();
    const [line = ''] = lines.filter((each) => / T (do_)?vfs_read$| T vfs_read$/.test(each));
    const start = BigInt(`0x${line.split(' ')[0] ?? ''}`);
    const [own, caller, none] = await symbolizer.resolveKernel(
      BigUint64Array.of(start, start, 0xffff_ffff_ffff_f000n),
      Uint8Array.of(1, 0, 1),
    );
    expect(own?.lines[0]?.name).toBe('vfs_read');
    expect(caller?.lines[0]?.name).not.toBe('vfs_read');
    expect(none?.lines[0]?.name).toMatch(/^\[kernel\+0x[0-9a-f]+\]$/);
  },
);
