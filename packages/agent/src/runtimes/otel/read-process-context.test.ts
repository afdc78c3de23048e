import { expect, test } from 'vitest';

import { type ContextMemory, findProcessContext, readProcessContext } from './read-process-context.ts';

const base = 0x7f00_0000_0000;

/** A header with its payload behind it; `onRefresh` is what the process does meanwhile. */
class PlantedContext implements ContextMemory {
  readonly content = Buffer.alloc(4096);
  readonly #onRefresh: (content: Buffer) => void;

  constructor(payload: string, onRefresh: (content: Buffer) => void = () => undefined) {
    this.#onRefresh = onRefresh;
    this.content.write('OTEL_CTX', 'latin1');
    this.content.writeUInt32LE(2, 8);
    this.content.writeUInt32LE(payload.length, 12);
    this.content.writeBigUInt64LE(77n, 16);
    this.content.writeBigUInt64LE(BigInt(base + 32), 24);
    this.content.write(payload, 32);
  }

  bytes(address: number, length: number): Buffer | undefined {
    const at = address - base;
    return at >= 0 && at + length <= this.content.length
      ? Buffer.from(this.content.subarray(at, at + length))
      : undefined;
  }

  refresh(): void {
    this.#onRefresh(this.content);
  }
}

test.each([
  ['7f0000000000-7f0000001000 rw-p 00000000 00:01 4 /memfd:OTEL_CTX (deleted)'],
  ['7f0000000000-7f0000001000 rw-p 00000000 00:00 0                          [anon:OTEL_CTX]'],
  ['7f0000000000-7f0000001000 rw-p 00000000 00:01 4                          [anon_shmem:OTEL_CTX]'],
])('%s', (line) => {
  const other = '55d0a0000000-55d0a0001000 r-xp 00000000 08:01 9 /bin/x';
  expect(findProcessContext(`${other}\n${line}\n${other}\n`)).toBe(base);
});

test('a file of that name is none', () => {
  expect(findProcessContext('7f0000000000-7f0000001000 rw-p 00000000 08:01 4 /tmp/OTEL_CTX\n')).toBeUndefined();
});

test('what is published is read, once', () => {
  const memory = new PlantedContext('payload');
  const found = readProcessContext(memory, base, 0n);
  expect(found).toEqual({ status: 'read', publishedAtNs: 77n, payload: Buffer.from('payload') });
  expect(readProcessContext(memory, base, 77n).status).toBe('unchanged');
});

test.each([
  ['busy', 'is being written', (content: Buffer): unknown => content.writeBigUInt64LE(0n, 16)],
  ['absent', 'has no signature', (content: Buffer): unknown => content.fill(0)],
  ['refused', 'has another version', (content: Buffer): unknown => content.writeUInt32LE(1, 8)],
  ['refused', 'is too large', (content: Buffer): unknown => content.writeUInt32LE(65_537, 12)],
  ['busy', 'has its payload nowhere', (content: Buffer): unknown => content.writeBigUInt64LE(2n ** 64n - 8n, 24)],
])('%s: one that %s', (status, _, change) => {
  const memory = new PlantedContext('payload');
  change(memory.content);
  expect(readProcessContext(memory, base, 0n).status).toBe(status);
});

test('one that is written anew while it is read is not believed', () => {
  const memory = new PlantedContext('payload', (content) => content.writeBigUInt64LE(78n, 16));
  expect(readProcessContext(memory, base, 0n).status).toBe('busy');
});
