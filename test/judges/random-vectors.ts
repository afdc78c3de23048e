import { machines, type UnwindVector } from '@everflame/binary';

/** A linear congruential generator (Numerical Recipes): the same numbers at each run. */
function numbersFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const stackWords = 512;
const textBytes = 0x4000;
/** Kinds and rules of bpf/unwind-abi.h go to 13 and 6; a few more are hostile. */
const kinds = 15;
const rules = 8;

/** Stacks of which nothing is as a compiler would make it, but much of it leads somewhere. */
export function randomVectors(machine: number, count: number): UnwindVector[] {
  const random = numbersFrom(machine);
  return Array.from({ length: count }, (_, index) => randomVector(machine, `random ${index}`, random));
}

function randomVector(machine: number, name: string, random: (below: number) => number): UnwindVector {
  const is32Bit = machine === machines.i386;
  const wordBytes = is32Bit ? 4 : 8;
  const stackBase = is32Bit ? 0xff00_0000 : 0x7ffc_0000_0000;
  const textBase = is32Bit ? 0x5600_0000 : 0x55_0000_0000;
  const mappings = randomMappings(random, textBase);
  const code = (): number => {
    const mapping = random(Math.max(1, mappings.length));
    return random(20) === 0 ? random(3) : textBase + mapping * 2 * textBytes + random(textBytes);
  };
  const stack = (): number => stackBase + wordBytes * random(stackWords);
  const registers = Array.from({ length: 32 }, () => hex(random(4) === 0 ? code() : stack()));
  registers[machine === machines.aarch64 ? 31 : 7] = hex(stackBase + wordBytes * random(32));
  return {
    name,
    machine,
    pc: hex(code()),
    registers,
    memory: Array.from({ length: stackWords }, (_, i) => [
      hex(stackBase + wordBytes * i),
      hex(random(3) === 0 ? stack() : random(40) === 0 ? 0 : code()),
    ]),
    tables: Array.from({ length: 3 }, () => ({ flags: random(4), base: '0x0', rows: randomRows(random, wordBytes) })),
    mappings,
    expected: { judge: 'the other twin', addresses: [], end: 'complete' },
  };
}

/** Up to 70, so that some processes need a directory of parts. */
function randomMappings(random: (below: number) => number, textBase: number): UnwindVector['mappings'][number][] {
  const count = random(5) === 0 ? 1 + random(70) : 1 + random(4);
  return Array.from({ length: count }, (_, i) => {
    const start = textBase + i * 2 * textBytes;
    const place = { start: hex(start), end: hex(start + textBytes), bias: hex(start) };
    const kind = random(12);
    return kind === 0 ? place : kind === 1 ? { ...place, jit: true } : { ...place, table: random(3) };
  });
}

function randomRows(random: (below: number) => number, wordBytes: number): UnwindVector['tables'][number]['rows'] {
  const rows: [number, number, number, number, number?, number?][] = [];
  for (let at = random(64); at < textBytes;) {
    const end = Math.min(textBytes, at + 1 + random(random(8) === 0 ? 4000 : 600));
    const kind = random(3) === 0 ? random(kinds) : 2 + random(2);
    const argument = kind === 13 ? ([2, 3, 10][random(3)] ?? 2) : random(16);
    const rule = random(2) === 0 ? random(rules) : random(2);
    const rest = (kind | (argument << 4) | (rule << 8) | (random(16) << 12)) & 0xffff;
    const cfaOff = wordBytes * (1 + random(12)) + (random(60) === 0 ? 3 : 0);
    const fpOff = random(30) === 0 ? random(65_536) : (-wordBytes * (1 + random(12))) & 0xffff;
    const operand = ((cfaOff & 0xffff) | (fpOff << 16)) >>> 0;
    const third = random(2) === 0 ? 0 : (-wordBytes * random(8)) & 0xffff;
    if (kind === 13) rows.push([at, end, rest, 0, wordBytes * random(40), ((fpOff & 0xffff) | (third << 16)) >>> 0]);
    else rows.push([at, end, rest, operand]);
    at = end + (random(10) === 0 ? random(200) : 0);
  }
  return rows;
}

const hex = (value: number): string => `0x${value.toString(16)}`;
