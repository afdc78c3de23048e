import protobuf from 'protobufjs/minimal.js';
import { everflame } from '../generated/everflame.js';
import { asWireFormatError, checkBounds, type MessageBounds } from '../wire/bounds.ts';
import { bigIntToInt64, bigIntToUint64, int64ToBigInt, uint64ToBigInt } from '../wire/long.ts';
import { WireFormatError } from '../wire/wire-format-error.ts';

/** The version of `everflame.v1.WriteRequest` that this code writes, and the newest that it reads. */
export const writeRequestVersion = 1;

/** The path that agents POST to, and what they say about the body. */
export const writeEndpoint = {
  path: '/api/v1/write',
  contentType: 'application/x-protobuf',
  contentEncoding: 'zstd',
} as const;

/** What one request may hold. The size of a pprof message is bounded by the body's own limit. */
export const writeRequestLimits = {
  batchIdBytes: 16,
  profiles: 20_000,
  labelsPerProfile: 64,
  counters: 1_000,
  /** Any string of the message, in bytes of UTF-8. */
  stringBytes: 4_096,
} as const;

/** One batch of an agent. Proto: proto/everflame/v1/write.proto. */
export interface WriteRequest {
  /** 16 bytes. A batch whose id the server has already stored is acknowledged and not stored again. */
  readonly batchId: Uint8Array;
  readonly agent: WriteAgent;
  readonly profiles: readonly WriteProfile[];
  readonly counters: readonly WriteCounter[];
}

/** Who sends. */
export interface WriteAgent {
  /** Stable per host and data directory. */
  readonly id: string;
  readonly hostName: string;
  readonly version: string;
  /** `uname -r` */
  readonly kernel: string;
  readonly architecture: string;
  readonly startedUnixNanos: bigint;
}

export interface WriteProfile {
  /** Series labels, with `__name__`. */
  readonly labels: Readonly<Record<string, string>>;
  /** One uncompressed pprof message. When decoded, a view into the input. */
  readonly pprof: Uint8Array;
}

/** A total since the agent started. */
export interface WriteCounter {
  readonly name: string;
  readonly cause: string;
  readonly total: bigint;
}

/** Uncompressed message bytes. Throws a RangeError where a 64-bit field does not fit. */
export function encodeWriteRequest(request: WriteRequest): Uint8Array {
  const { agent } = request;
  return everflame.v1.WriteRequest.encode({
    batchId: request.batchId,
    agent: { ...agent, startedUnixNanos: bigIntToInt64(agent.startedUnixNanos) },
    profiles: request.profiles.map((profile) => ({
      labels: Object.entries(profile.labels).map(([name, value]) => ({ name, value })),
      pprof: profile.pprof,
    })),
    counters: request.counters.map((row) => ({ ...row, total: bigIntToUint64(row.total) })),
    version: writeRequestVersion,
  }).finish();
}

/**
 * Checks and decodes one uncompressed message. What it answers holds views into `bytes` (no copy of the profiles).
 * Unknown fields are skipped; rules of label names and of what is inside a pprof message are the caller's.
 *
 * @throws WireFormatError
 */
export function decodeWriteRequest(bytes: Uint8Array): WriteRequest {
  checkBounds(bytes, writeRequestBounds);
  const message = decodeMessage(bytes);
  if (message.version !== writeRequestVersion) throw versionError(message.version);
  if (message.batchId.length !== writeRequestLimits.batchIdBytes) {
    const wanted = writeRequestLimits.batchIdBytes;
    throw new WireFormatError(
      'invalid',
      'batch_id',
      `batch_id has ${message.batchId.length} bytes; it must have ${wanted}`,
    );
  }
  const { agent } = message;
  if (agent === null || agent === undefined || !agent.id) {
    throw new WireFormatError('invalid', 'agent.id', 'agent.id is missing');
  }
  return {
    batchId: message.batchId,
    agent: {
      id: agent.id,
      hostName: agent.hostName ?? '',
      version: agent.version ?? '',
      kernel: agent.kernel ?? '',
      architecture: agent.architecture ?? '',
      startedUnixNanos: int64ToBigInt(agent.startedUnixNanos),
    },
    profiles: message.profiles.map((profile, index) => ({
      labels: labelsOf(profile.labels ?? [], index),
      // protobufjs's default for a missing field is a Buffer.
      pprof: profile.pprof?.length ? profile.pprof : new Uint8Array(),
    })),
    counters: message.counters.map((row) => ({
      name: row.name ?? '',
      cause: row.cause ?? '',
      total: uint64ToBigInt(row.total),
    })),
  };
}

function decodeMessage(bytes: Uint8Array): everflame.v1.WriteRequest {
  try {
    // A plain Uint8Array even for a Buffer, so that views of it behave alike in Node.js and in a browser.
    const reader = protobuf.Reader.create(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    reader.discardUnknown = true;
    return everflame.v1.WriteRequest.decode(reader);
  } catch (error) {
    throw asWireFormatError(error, '');
  }
}

function versionError(version: number): WireFormatError {
  const supported = `this server reads version ${writeRequestVersion}`;
  const text =
    version > writeRequestVersion
      ? `the agent sent format version ${version}, ${supported}: update the server before its agents`
      : `the request does not say its format version; ${supported}`;
  return new WireFormatError('unsupported_version', 'version', text);
}

function labelsOf(labels: readonly everflame.v1.Label.$Properties[], profile: number): Record<string, string> {
  const names = new Set<string>();
  const entries: [string, string][] = [];
  for (const label of labels) {
    const name = label.name ?? '';
    const field = `profiles[${profile}].labels`;
    if (name === '') throw new WireFormatError('invalid', field, 'a label has no name');
    if (names.has(name)) throw new WireFormatError('invalid', field, `label ${JSON.stringify(name)} occurs twice`);
    names.add(name);
    entries.push([name, label.value ?? '']);
  }
  // fromEntries defines own properties, so that a label named `__proto__` is a label.
  return Object.fromEntries(entries);
}

const text = (name: string) => ({ name, maxCount: 1, maxBytes: writeRequestLimits.stringBytes });

const writeRequestBounds: MessageBounds = {
  fields: {
    1: { name: 'batch_id', maxCount: 1, maxBytes: writeRequestLimits.stringBytes },
    2: {
      name: 'agent',
      maxCount: 1,
      message: {
        fields: { 1: text('id'), 2: text('host_name'), 3: text('version'), 4: text('kernel'), 5: text('architecture') },
      },
    },
    3: {
      name: 'profiles',
      maxCount: writeRequestLimits.profiles,
      message: {
        fields: {
          1: {
            name: 'labels',
            maxCount: writeRequestLimits.labelsPerProfile,
            message: { fields: { 1: text('name'), 2: text('value') } },
          },
          2: { name: 'pprof', maxCount: 1 },
        },
      },
    },
    4: {
      name: 'counters',
      maxCount: writeRequestLimits.counters,
      message: { fields: { 1: text('name'), 2: text('cause') } },
    },
  },
};
