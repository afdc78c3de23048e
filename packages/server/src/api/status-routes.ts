import { http } from '@everflame/protocols';
import type { FastifyInstance } from 'fastify';
import type { Findings } from '../findings/findings.ts';
import type { Ingest } from '../ingest/ingest.ts';
import type { Metrics } from '../metrics.ts';
import type { Queries } from '../query/queries.ts';
import type { StorageStatus } from '../storage/storage.ts';

export interface ServerFacts {
  readonly version: string;
  readonly startedMs: number;
  readonly notices: readonly string[];
}

interface StatusSources {
  readonly ingest: Ingest;
  readonly queries: Queries;
  readonly findings: Findings;
  readonly metrics: Metrics;
  readonly facts: ServerFacts;
}

/** How the server is: for people, Prometheus and probes. */
export function addStatusRoutes(
  app: FastifyInstance,
  { ingest, queries, findings, metrics, facts }: StatusSources,
): void {
  const storageStatus = async (): Promise<StorageStatus> => {
    const { body } = await queries.ask({ kind: 'status', parameters: {}, nowMs: Date.now() });
    return JSON.parse(new TextDecoder().decode(body)) as StorageStatus;
  };

  const status = { schema: { summary: 'Storage, agents and notices', response: { 200: http.StatusAnswer } } };
  app.get('/api/v1/status', status, async (_request, reply): Promise<http.StatusAnswer> => {
    void reply.header('cache-control', 'no-store');
    const { agents, profiles, series, bytes, oldestMs, newestMs, deleted, damaged } = await storageStatus();
    return {
      version: facts.version,
      startedAt: facts.startedMs,
      storage: {
        profiles,
        series,
        bytes,
        oldest: oldestMs,
        newest: newestMs,
        deleted: deleted.map(({ untilMs, ...one }) => ({ ...one, until: untilMs })),
        damaged: damaged.map(({ fromMs, untilMs, ...one }) => ({ ...one, from: fromMs, until: untilMs })),
      },
      agents: agents.map(({ startedMs, lastSeenMs, counters, ...agent }) => ({
        ...agent,
        startedAt: startedMs,
        lastSeen: lastSeenMs,
        counters: counters.map((counter) => ({ ...counter })),
      })),
      notices: [...facts.notices],
    };
  });

  app.get('/metrics', { schema: { hide: true } }, async (_request, reply) => {
    metrics.setStorage(await storageStatus(), ingest.queuedBytes);
    metrics.setFindings(findings.list({ limit: '10000' }));
    return reply.type(metrics.contentType).send(await metrics.text());
  });

  const plain = { schema: { hide: true } };
  app.get('/-/healthy', plain, async (_request, reply) => reply.type('text/plain').send('healthy\n'));
  app.get('/-/ready', plain, async (_request, reply) => {
    if (ingest.isReady) return reply.type('text/plain').send('ready\n');
    return reply.code(503).type('text/plain').send('the writer is being started\n');
  });
}
