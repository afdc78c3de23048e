import { isIPv6, type AddressInfo } from 'node:net';
import type { MetricSources } from './metrics.ts';

export interface HealthServerOptions extends MetricSources {
  /** Port 0 takes a free one. Not beyond loopback unless the operator says so: the metrics need no password. */
  readonly listen: { readonly host: string; readonly port: number };
  /** Undefined when the agent samples; else one line that says why it does not (yet). */
  readonly notReady?: () => string | undefined;
}

export interface HealthServer {
  readonly url: URL;
  close(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

/**
 * Serves `/metrics` (Prometheus), `/-/healthy` (the process answers) and `/-/ready` (it samples; 503 with the reason when
 * not). Rejects when the address is taken or not ours.
 */
export async function startHealthServer(options: HealthServerOptions): Promise<HealthServer> {
  // Loaded by those alone who ask for it. node:http by `import` would read all of its exports, undici among them: 12 MB.
  const { createMetrics } = await import('./metrics.ts');
  const http = process.getBuiltinModule('node:http');
  const registry = createMetrics(options);

  const answer = async (method: string, path: string): Promise<Answer> => {
    if (method !== 'GET' && method !== 'HEAD') return text(405, `${method} is not answered here, only GET`);
    switch (path) {
      case '/metrics':
        return { status: 200, type: registry.contentType, body: await registry.metrics() };
      case '/-/healthy':
        return text(200, 'healthy');
      case '/-/ready': {
        const reason = options.notReady?.();
        return reason === undefined ? text(200, 'ready') : text(503, reason);
      }
      default:
        return text(404, 'here are /metrics, /-/healthy and /-/ready');
    }
  };

  const server = http.createServer((request, response) => {
    const [path = ''] = (request.url ?? '').split('?', 1);
    void answer(request.method ?? '', path)
      .catch((error: unknown) => text(500, error instanceof Error ? error.message : String(error)))
      .then(({ status, type, body }) => {
        response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' });
        response.end(request.method === 'HEAD' ? undefined : body);
      });
  });
  // Scrapers ask every few seconds and send no bodies.
  server.requestTimeout = 10_000;
  server.maxConnections = 32;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.listen.port, options.listen.host, () => {
      server.removeListener('error', reject);
      resolve();
    });
  });
  const { host } = options.listen;
  const { port } = server.address() as AddressInfo;
  return {
    url: new URL(`http://${isIPv6(host) ? `[${host}]` : host}:${port}`),
    async close() {
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

function text(status: number, sentence: string): Answer {
  return { status, type: 'text/plain; charset=utf-8', body: `${sentence}\n` };
}
