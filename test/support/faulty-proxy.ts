import http from 'node:http';
import type { AddressInfo } from 'node:net';

/** What happens to one request. `cut-before`: the connection ends unheard; `cut-after`: the target hears it, its answer is lost. */
export type Fault = { readonly status: number; readonly headers?: Record<string, string> } | 'cut-before' | 'cut-after';

/** One request that reached the proxy. `answer` is what the target said; undefined when it was not asked. */
export interface ProxiedRequest {
  readonly body: Buffer;
  readonly fault: Fault | undefined;
  readonly answer: number | undefined;
}

/** A reverse proxy that fails as told, to put real failures of a network between real programs. */
export interface FaultyProxy {
  readonly url: URL;
  /** Used up one by one by the next requests; after that, requests pass. */
  readonly faults: Fault[];
  readonly requests: readonly ProxiedRequest[];
  /** Where requests go from now on. */
  setTarget(target: URL): void;
  /** Refuses connections. */
  down(): Promise<void>;
  /** Listens again, at the same port. */
  up(): Promise<void>;
  /** Resolves when `condition` holds; asked after every request. */
  until(condition: () => boolean): Promise<void>;
}

export async function startFaultyProxy(target: URL): Promise<FaultyProxy> {
  const faults: Fault[] = [];
  const requests: ProxiedRequest[] = [];
  const waiters = new Set<() => void>();
  let port = 0;
  let goal = target;

  const handle = async (request: http.IncomingMessage, response: http.ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const fault = faults.shift();
    let answer: number | undefined;
    if (fault === undefined || fault === 'cut-after') {
      const { host: _host, connection: _connection, ...headers } = request.headers;
      const passed = await fetch(new URL(request.url ?? '/', goal), {
        method: request.method ?? 'GET',
        headers: Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)]),
        body,
      });
      answer = passed.status;
      const text = await passed.text();
      if (fault === undefined) response.writeHead(answer, { 'content-type': 'application/json' }).end(text);
    }
    requests.push({ body, fault, answer });
    if (fault === 'cut-before' || fault === 'cut-after') request.socket.destroy();
    else if (fault !== undefined) response.writeHead(fault.status, fault.headers).end();
    for (const check of waiters) check();
  };

  let listener: http.Server | undefined;
  const up = async (): Promise<void> => {
    listener = http.createServer((request, response) => {
      // Here only the test's own network may fail: what it asks for is gone, which the agent sees as a cut connection.
      handle(request, response).catch(() => request.socket.destroy());
    });
    await new Promise<void>((resolve, reject) => {
      listener?.once('error', reject).listen(port, '127.0.0.1', resolve);
    });
    port = (listener.address() as AddressInfo).port;
  };
  await up();
  return {
    url: new URL(`http://127.0.0.1:${port}`),
    faults,
    requests,
    setTarget(next) {
      goal = next;
    },
    up,
    async down() {
      await new Promise<void>((resolve) => {
        listener?.close(() => resolve());
        listener?.closeAllConnections();
      });
    },
    async until(condition) {
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
  };
}
