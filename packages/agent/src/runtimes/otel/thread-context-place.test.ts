import type { ThreadContextSymbol } from '@everflame/binary';
import { expect, test } from 'vitest';

import { placeOfThreadContext } from './thread-context-place.ts';

const bias = 0x7f00_0000_0000;

function symbolOf(kind: ThreadContextSymbol['slots'][number]['kind']): ThreadContextSymbol {
  return { offset: 40, programOffset: -8, slots: [{ kind, address: 0x100n }] };
}

/** Two words at an address each. */
function memoryOf(words: Readonly<Record<number, readonly [bigint, bigint]>>): {
  bytes(address: number, length: number): Buffer | undefined;
} {
  return {
    bytes: (address, length) => {
      const found = words[address - bias];
      const bytes = Buffer.alloc(16);
      for (const [i, word] of (found ?? []).entries()) bytes.writeBigUInt64LE(BigInt.asUintN(64, word), 8 * i);
      return found === undefined || length !== 16 ? undefined : bytes;
    },
  };
}

test.each([
  ['the offset', 'offset', { 0x100: [-64n, 0n] }, { kind: 'static', offset: -64 }],
  ['a descriptor of an offset', 'descriptor', { 0x100: [0x1234n, -4096n] }, { kind: 'static', offset: -4096 }],
  [
    'a descriptor of a module',
    'descriptor',
    { 0x100: [0x1234n, BigInt(bias + 0x200)], 0x200: [3n, 40n] },
    { kind: 'dynamic', module: 3, offset: 40 },
  ],
  ['a module', 'module', { 0x100: [2n, 40n] }, { kind: 'dynamic', module: 2, offset: 40 }],
] as const)('a slot with %s', (_, kind, words, place) => {
  expect(placeOfThreadContext(symbolOf(kind), bias, memoryOf(words))).toEqual(place);
});

test.each([
  ['an offset that is not there yet', 'offset', { 0x100: [0n, 0n] }],
  ['an offset that is far away', 'offset', { 0x100: [-(2n ** 40n), 0n] }],
  ['a descriptor of what cannot be read', 'descriptor', { 0x100: [0x1234n, BigInt(bias + 0x200)] }],
  ['a descriptor of no module', 'descriptor', { 0x100: [1n, BigInt(bias + 0x200)], 0x200: [0x1234_5678n, 40n] }],
  ['a descriptor of another variable', 'descriptor', { 0x100: [1n, BigInt(bias + 0x200)], 0x200: [3n, 41n] }],
  ['a module that is not there yet', 'module', { 0x100: [0n, 40n] }],
  ['a module with another variable', 'module', { 0x100: [2n, 48n] }],
  ['nothing that can be read', 'module', {}],
] as const)('a slot with %s tells nothing', (_, kind, words) => {
  expect(placeOfThreadContext(symbolOf(kind), bias, memoryOf(words))).toBeUndefined();
});
