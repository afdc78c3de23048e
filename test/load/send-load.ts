import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { encodeWriteRequest, writeEndpoint } from '@everflame/protocols';
import type { LoadSource } from './load-source.ts';

export interface SendOptions {
  readonly server: string;
  /** One pprof file for each profile, or a batch of an agent for each. */
  readonly route: 'profiles' | 'write';
  readonly inFlight: number;
  /** Pause between two posts of one sender. */
  readonly pauseMs?: number;
}

export interface Sent {
  readonly profiles: number;
  /** Rows of the profiles: what the store calls samples. */
  readonly rows: number;
  readonly bodyBytes: number;
  /** From the first byte sent to the acknowledgement, the last attempt of each. */
  readonly ackMs: readonly number[];
  /** Answers 429: sent again after a moment. */
  readonly refused: number;
  /** While something was being sent. */
  readonly elapsedMs: number;
}

interface Post {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** Bodies that are made before the clock runs, so that making them does not take the server's CPU: about 100 MB. */
const madeAhead = 1000;

/** Sends profiles `from` up to `until` of a load. A refusal other than 429 is an error. */
export async function sendLoad(source: LoadSource, from: number, until: number, options: SendOptions): Promise<Sent> {
  const agent = new Agent({ keepAlive: true, maxSockets: options.inFlight });
  const ackMs: number[] = [];
  let [rows, bodyBytes, refused, elapsedMs] = [0, 0, 0, 0];
  for (let first = from; first < until; first += madeAhead) {
    const posts: Post[] = [];
    for (let i = first; i < Math.min(until, first + madeAhead); i++) {
      const made = makePost(source, i, options.route);
      posts.push(made.post);
      rows += made.rows;
      bodyBytes += made.post.body.length;
    }
    const startedAt = performance.now();
    const queue = posts.values();
    const sender = async () => {
      for (const post of queue) {
        const result = await sendUntilAccepted(options.server, post, agent);
        ackMs.push(result.ackMs);
        refused += result.refused;
        if (options.pauseMs !== undefined) await sleep(options.pauseMs);
      }
    };
    await Promise.all(Array.from({ length: options.inFlight }, sender));
    elapsedMs += performance.now() - startedAt;
  }
  agent.destroy();
  return { profiles: until - from, rows, bodyBytes, ackMs, refused, elapsedMs };
}

/** Body and address of one profile. */
export function makePost(source: LoadSource, i: number, route: SendOptions['route']): { post: Post; rows: number } {
  const { labels, bytes, rows } = source.profile(i);
  if (route === 'profiles') {
    const path = `/api/v1/profiles?${new URLSearchParams(labels).toString()}`;
    const body = gzipSync(bytes, { level: 6 });
    return { post: { path, headers: { 'content-encoding': 'gzip' }, body }, rows };
  }
  const batchId = new Uint8Array(16);
  new DataView(batchId.buffer).setUint32(0, i);
  new DataView(batchId.buffer).setUint32(4, source.shape.seed);
  const message = encodeWriteRequest({
    batchId,
    agent: {
      id: labels['host_name'] ?? '',
      hostName: labels['host_name'] ?? '',
      version: '0.1.0',
      kernel: '6.1',
      architecture: 'x64',
      startedUnixNanos: 1n,
    },
    profiles: [{ labels: { ...labels, __name__: 'process_cpu' }, pprof: bytes }],
    counters: [],
  });
  const headers = { 'content-type': writeEndpoint.contentType, 'content-encoding': writeEndpoint.contentEncoding };
  return { post: { path: writeEndpoint.path, headers, body: zstdCompressSync(message) }, rows };
}

async function sendUntilAccepted(
  server: string,
  post: Post,
  agent: Agent,
): Promise<{ ackMs: number; refused: number }> {
  for (let refused = 0; ; refused++) {
    const startedAt = performance.now();
    const { status, text } = await send(server, post, agent);
    if (status === 202) return { ackMs: performance.now() - startedAt, refused };
    if (status !== 429) throw new Error(`POST ${post.path} answered ${status}: ${text}`);
    await sleep(100);
  }
}

function send(server: string, { path, headers, body }: Post, agent: Agent): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      new URL(path, server),
      { method: 'POST', agent, headers: { ...headers, 'content-length': body.length } },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }),
        );
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}
