import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { zstdDecompressSync } from 'node:zlib';
import { decodeWriteRequest, type WriteRequest } from '@everflame/protocols';

/** How the next requests are answered. `cut` stores the batch and then ends the connection without an answer. */
export type RecordingAnswer =
  | { readonly status: number; readonly headers?: Record<string, string>; readonly body?: string }
  | 'cut'
  | 'silence';

/** For tests: a real HTTP server that keeps what it accepts, as a server of Everflame would, repeats dropped by batch id. */
export interface RecordingServer {
  readonly url: URL;
  /** Accepted, without repeats, in order of arrival. */
  readonly accepted: readonly WriteRequest[];
  /** One row for each request that came, accepted or not. */
  readonly attempts: { readonly batchId: string; readonly headers: http.IncomingHttpHeaders; readonly path: string }[];
  /** How many repeats of a stored batch came. */
  repeats: number;
  readonly connections: number;
  /** Resolves when `condition` holds; asked after every request. */
  until(condition: () => boolean): Promise<void>;
  close(): Promise<void>;
}

/** `answers` are used up one by one; after that, everything is accepted. */
export async function startRecordingServer(answers: RecordingAnswer[] = [], port = 0): Promise<RecordingServer> {
  const stored = new Set<string>();
  const accepted: WriteRequest[] = [];
  const waiters = new Set<() => void>();
  let connections = 0;

  const answer = (request: http.IncomingMessage, response: http.ServerResponse, body: Buffer) => {
    const message = decodeWriteRequest(zstdDecompressSync(body));
    const batchId = Buffer.from(message.batchId).toString('hex');
    server.attempts.push({ batchId, headers: request.headers, path: request.url ?? '' });
    const next = answers.shift() ?? { status: 202 };
    if (next === 'cut' || (next !== 'silence' && next.status < 300)) {
      if (stored.has(batchId)) server.repeats++;
      else accepted.push(message);
      stored.add(batchId);
    }
    if (next === 'cut') request.socket.destroy();
    else if (next !== 'silence') response.writeHead(next.status, next.headers).end(next.body);
    for (const check of waiters) check();
  };

  const listener = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => answer(request, response, Buffer.concat(chunks)));
  });
  listener.on('connection', () => connections++);
  await new Promise<void>((resolve) => {
    listener.listen(port, '127.0.0.1', resolve);
  });
  const server = {
    url: new URL(`http://127.0.0.1:${(listener.address() as AddressInfo).port}`),
    accepted,
    attempts: [] as { batchId: string; headers: http.IncomingHttpHeaders; path: string }[],
    repeats: 0,
    get connections() {
      return connections;
    },
    async until(condition: () => boolean) {
      if (condition()) return;
      await new Promise<void>((resolve) => {
        const check = () => {
          if (!condition()) return;
          waiters.delete(check);
          resolve();
        };
        waiters.add(check);
      });
    },
    async close() {
      await new Promise<void>((resolve) => {
        listener.close(() => resolve());
        listener.closeAllConnections();
      });
    },
  };
  return server;
}
