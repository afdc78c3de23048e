import type { IncomingMessage } from 'node:http';
import { parseTime } from '@everflame/profile';
import { http, writeEndpoint } from '@everflame/protocols';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { Ingest } from '../ingest/ingest.ts';
import { Intake } from '../ingest/intake.ts';
import { Refused } from '../problem.ts';
import type { Queries } from '../query/queries.ts';
import { readAnyQueryString, readQueryString } from './query-string.ts';

const encodings = new Set(['', 'identity', 'gzip', 'x-gzip', 'zstd']);

const Accepted = Type.Object(
  {
    profiles: Type.Integer({ description: 'stored by this request; 0 when the batch had been stored before' }),
    names: Type.Array(Type.String(), { description: '__name__ of what was stored' }),
  },
  { additionalProperties: false },
);

/** Routes that store. 202 is sent only once the data is durable. */
export function addWriteRoutes(
  app: FastifyInstance,
  ingest: Ingest,
  queries: Queries,
  { maxBodyBytes, maxQueuedBytes }: { readonly maxBodyBytes: number; readonly maxQueuedBytes: number },
): void {
  // Beside what waits there is room for two of the largest to come in.
  const intake = new Intake(maxQueuedBytes + 2 * maxBodyBytes, maxBodyBytes);
  const answered = new WeakMap<FastifyRequest['raw'], Promise<void>>();
  void app.register((scope, _options, done) => {
    // Bodies are what they are, whatever curl says of them (application/x-www-form-urlencoded for --data-binary).
    scope.removeAllContentTypeParsers();
    scope.addHook('onRequest', async (request, reply) => {
      answered.set(request.raw, new Promise((resolve) => reply.raw.once('close', resolve)));
    });
    scope.addContentTypeParser('*', { bodyLimit: maxBodyBytes }, (request: FastifyRequest, body: IncomingMessage) =>
      intake.read(body, answered.get(request.raw) ?? Promise.resolve()),
    );
    const response = { 202: Accepted, '4xx': http.Problem };

    const postProfile = {
      preValidation: async (request: FastifyRequest) => void readAnyQueryString(request),
      bodyLimit: maxBodyBytes,
      schema: {
        summary: 'Stores one pprof profile; each query parameter is a label',
        description:
          'The body is a pprof profile: gzip, zstd or plain. `__name__` names the profile (else told from its sample types). The time is that of the profile; when it says none, that of its arrival, and the answer has the header x-everflame-time: now.',
        querystring: Type.Record(Type.String(), Type.String()),
        response,
      },
    };
    scope.post('/api/v1/profiles', postProfile, async (request, reply) => {
      const labels = readAnyQueryString(request) as Record<string, string>;
      const stored = await ingest.run({ kind: 'profile', body: bodyOf(request), labels, nowMs: Date.now() });
      if (stored.timeIsArrival) void reply.header('x-everflame-time', 'now');
      return reply.code(202).send({ profiles: stored.profiles, names: stored.names });
    });

    const postWrite = {
      bodyLimit: maxBodyBytes,
      schema: {
        summary: 'Stores a batch of an agent, whole or not at all',
        description:
          'The body is an everflame.v1.WriteRequest, zstd-compressed. A batch id that is stored already is acknowledged.',
        response,
      },
    };
    scope.post(writeEndpoint.path, postWrite, async (request, reply) => {
      readQueryString(request, []);
      const stored = await ingest.run({ kind: 'write', body: bodyOf(request), nowMs: Date.now() });
      return reply.code(202).send({ profiles: stored.profiles, names: stored.names });
    });
    done();
  });

  const postMark = {
    schema: {
      summary: 'Marks a deployment',
      body: http.DeploymentMark,
      response: { 201: http.Deployment, '4xx': http.Problem },
    },
  };
  app.post<{ Body: http.DeploymentMark }>('/api/v1/deployments', postMark, async (request, reply) => {
    readQueryString(request, []);
    const { service, version, environment = '', at, commit = '', url = '' } = request.body;
    const nowMs = Date.now();
    const time = parseTime(at ?? 'now', nowMs);
    if (!time.ok) throw new Refused(400, 'bad_time', time.error.message, 'at');
    await ingest.run({ kind: 'mark', mark: { service, version, environment, atMs: time.timeMs, commit, url } });
    const { body } = await queries.ask({ kind: 'deployments', parameters: { service, version }, nowMs });
    const { deployments } = JSON.parse(new TextDecoder().decode(body)) as http.DeploymentsAnswer;
    return reply.code(201).send(deployments.find((one) => one.environment === environment));
  });
}

/** @throws Refused 415 for an encoding that is not understood */
function bodyOf(request: FastifyRequest): Uint8Array {
  const encoding = (request.headers['content-encoding'] ?? '').trim().toLowerCase();
  if (!encodings.has(encoding)) {
    const detail = `Content-Encoding ${JSON.stringify(encoding.slice(0, 40))} is not understood: send gzip, zstd or the plain message`;
    throw new Refused(415, 'bad_encoding', detail, 'content-encoding');
  }
  return Buffer.isBuffer(request.body) ? request.body : new Uint8Array();
}
