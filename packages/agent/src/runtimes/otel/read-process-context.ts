import type { ProcessMemory } from '../process-memory.ts';

export type ContextMemory = Pick<ProcessMemory, 'bytes' | 'refresh'>;

/** What was read at an address where a process's context may be. */
export type ReadContext =
  | { readonly status: 'read'; readonly publishedAtNs: bigint; readonly payload: Buffer }
  /** It is what was read before. */
  | { readonly status: 'unchanged' }
  /** It is being written, or could not be read: later. */
  | { readonly status: 'busy' }
  | { readonly status: 'absent' }
  /** Of another version, or larger than what is read. */
  | { readonly status: 'refused' };

/** OTEP 4719: signature 8, version 4, bytes of the payload 4, time 8, address of the payload 8. */
const headerBytes = 32;
const signature = 'OTEL_CTX';
const knownVersion = 2;
/** Resources have some tens of attributes. */
const mostPayloadBytes = 65_536;
/** Named by prctl, of a memfd or anonymous; or by the memfd alone. */
const mappingLine = /^([0-9a-f]+)-[0-9a-f]+ \S+ \S+ \S+ \S+ +(?:\[anon(?:_shmem)?:OTEL_CTX\]|\/memfd:OTEL_CTX)/mu;

/** Address of the mapping that has a process's context, in a text of /proc/PID/maps; undefined where there is none. */
export function findProcessContext(maps: string): number | undefined {
  // A look for the word is quicker than the expression, and most processes have none.
  if (!maps.includes(signature)) return undefined;
  const start = mappingLine.exec(maps)?.[1];
  return start === undefined ? undefined : Number.parseInt(start, 16);
}

/** Reads what is published at `address`, unless it is what was published at `knownNs`. It is whole: its time was the same before and after. */
export function readProcessContext(memory: ContextMemory, address: number, knownNs: bigint): ReadContext {
  const header = memory.bytes(address, headerBytes);
  if (header === undefined) return { status: 'busy' };
  if (header.toString('latin1', 0, 8) !== signature) return { status: 'absent' };
  const publishedAtNs = header.readBigUInt64LE(16);
  if (publishedAtNs === 0n) return { status: 'busy' };
  if (publishedAtNs === knownNs) return { status: 'unchanged' };
  const size = header.readUInt32LE(12);
  if (header.readUInt32LE(8) !== knownVersion || size > mostPayloadBytes) return { status: 'refused' };
  const payload = memory.bytes(Number(header.readBigUInt64LE(24)), size);
  memory.refresh();
  const after = memory.bytes(address, headerBytes);
  if (payload === undefined || after?.equals(header) !== true) return { status: 'busy' };
  return { status: 'read', publishedAtNs, payload };
}
