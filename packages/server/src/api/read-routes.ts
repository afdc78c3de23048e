import { discard, TREE_MEDIA_TYPE } from '@everflame/profile';
import { http } from '@everflame/protocols';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type TSchema, Type } from 'typebox';
import { Garbage } from '../garbage.ts';
import type { Queries } from '../query/queries.ts';
import type { Reply } from '../query/query-messages.ts';
import { readQueryString } from './query-string.ts';

interface ReadRoute {
  readonly path: string;
  /** Name of the question, see `read-worker.ts`. */
  readonly kind: string;
  readonly summary: string;
  readonly parameters: Readonly<Record<string, TSchema>>;
  /** Left out: a file. */
  readonly answer?: TSchema;
  /** What is answered instead when the client accepts this media type. */
  readonly file?: { readonly mediaType: string; readonly kind: string };
}

const text = (description: string) => Type.Optional(Type.String({ description }));

export const readRoutes: readonly ReadRoute[] = [
  {
    path: '/profile-types',
    kind: 'profile_types',
    summary: 'Profile types in a time range',
    parameters: http.SelectorQuery,
    answer: http.ProfileTypesAnswer,
  },
  {
    path: '/labels',
    kind: 'labels',
    summary: 'Names of labels',
    parameters: http.RangeQuery,
    answer: http.LabelNamesAnswer,
  },
  {
    path: '/series',
    kind: 'series',
    summary: 'Series that fit a selector',
    parameters: http.SelectorQuery,
    answer: http.SeriesAnswer,
  },
  {
    path: '/query_range',
    kind: 'query_range',
    summary: 'Values over time',
    parameters: http.QueryRangeQuery,
    answer: http.QueryRangeAnswer,
  },
  {
    path: '/flamegraph',
    kind: 'flamegraph',
    summary: 'Merged call tree',
    parameters: http.FlamegraphQuery,
    answer: http.FlamegraphAnswer,
    file: { mediaType: TREE_MEDIA_TYPE, kind: 'flamegraph_file' },
  },
  {
    path: '/top',
    kind: 'top',
    summary: 'Functions by self value',
    parameters: http.ProfileQuery,
    answer: http.TopAnswer,
  },
  {
    path: '/callers',
    kind: 'callers',
    summary: 'Callers and callees of a function',
    parameters: { ...http.ProfileQuery, function: text('name as /api/v1/top shows it') },
    answer: http.CallersAnswer,
  },
  {
    path: '/lines',
    kind: 'lines',
    summary: 'What each line of a function costs',
    parameters: { ...http.ProfileQuery, function: text('name as /api/v1/top shows it') },
    answer: http.LinesAnswer,
  },
  {
    path: '/binaries',
    kind: 'binaries',
    summary: 'Files that samples pass through, with their build IDs',
    parameters: http.ProfileQuery,
    answer: http.BinariesAnswer,
  },
  {
    path: '/diff',
    kind: 'diff',
    summary: 'Two merged trees as one, both sides whole',
    parameters: http.DiffQuery,
    answer: http.DiffAnswer,
  },
  {
    path: '/compare',
    kind: 'compare',
    summary: 'Functions that changed between two versions, with intervals and verdicts',
    parameters: http.CompareQuery,
    answer: http.CompareAnswer,
  },
  {
    path: '/services',
    kind: 'services',
    summary: 'Services with their value over time and top functions',
    parameters: {
      ...http.SelectorQuery,
      step: http.QueryRangeQuery.step,
      top: text('functions named for each service, 0 to 100. Default 5; 0 merges no trees and is by far the quickest'),
    },
    answer: http.ServicesAnswer,
  },
  {
    path: '/deployments',
    kind: 'deployments',
    summary: 'Versions per service, seen or marked',
    parameters: {
      service: text('only this service'),
      version: text('only this version'),
      environment: text('only this environment'),
    },
    answer: http.DeploymentsAnswer,
  },
  {
    path: '/pprof',
    kind: 'pprof',
    summary: 'Merged profile as a gzipped pprof file',
    // go tool pprof adds `seconds` when it is given -seconds; what is stored does not depend on it.
    parameters: { ...http.ProfileQuery, seconds: text('accepted for go tool pprof, without effect') },
  },
  {
    path: '/export',
    kind: 'export',
    summary: "Merged profile in another tool's format",
    parameters: { ...http.ProfileQuery, format: text('folded') },
  },
];

/** Routes that only read: the parameters are checked here, everything else happens in a reader's thread. */
export function addReadRoutes(app: FastifyInstance, queries: Queries): void {
  for (const { path, kind, summary, parameters, answer, file } of readRoutes) {
    const known = Object.keys(parameters);
    const response = answer === undefined ? { '4xx': http.Problem } : { 200: answer, '4xx': http.Problem };
    const schema = { summary, querystring: Type.Object(parameters), response };
    // Before validation, which would call a repeated parameter "not a string".
    const preValidation = async (request: FastifyRequest) => void readQueryString(request, known);
    app.get(`/api/v1${path}`, { schema, preValidation }, async (request, reply) => {
      const wantsFile = file !== undefined && accepts(request, file.mediaType);
      if (file !== undefined) void reply.header('vary', 'accept');
      const question = {
        kind: wantsFile ? file.kind : kind,
        parameters: readQueryString(request, known),
        nowMs: Date.now(),
      };
      return sendReply(reply, await queries.ask(question, goneSignal(reply)));
    });
  }
  const known = Object.keys(http.RangeQuery);
  const schema = {
    summary: 'Values of a label',
    params: Type.Object({ name: Type.String() }),
    querystring: Type.Object(http.RangeQuery),
    response: { 200: http.LabelValuesAnswer, '4xx': http.Problem },
  };
  app.get<{ Params: { name: string } }>('/api/v1/labels/:name/values', { schema }, async (request, reply) => {
    const parameters = { ...readQueryString(request, known), name: request.params.name };
    return sendReply(
      reply,
      await queries.ask({ kind: 'label_values', parameters, nowMs: Date.now() }, goneSignal(reply)),
    );
  });
}

/** Whether the client names the media type; a wildcard does not. */
function accepts({ headers }: FastifyRequest, mediaType: string): boolean {
  return (headers.accept ?? '').split(',').some((range) => range.split(';')[0]?.trim().toLowerCase() === mediaType);
}

/** Aborted when the client goes away before it has its answer. */
function goneSignal({ raw }: FastifyReply): AbortSignal {
  const gone = new AbortController();
  raw.once('close', () => {
    if (!raw.writableEnded) gone.abort();
  });
  return gone.signal;
}

const garbage = new Garbage();
/** The memory of an answer of this size is given back as soon as it was sent. */
const largeBytes = 4 * 1024 * 1024;
/** How many clients are being sent these bytes: equal questions share an answer. All of them have it in the same turn. */
const sendersOf = new WeakMap<ArrayBufferLike, number>();

export function sendReply(reply: FastifyReply, { contentType, body, fileName }: Reply): FastifyReply {
  void reply.type(contentType).header('cache-control', 'no-store');
  if (fileName !== undefined) void reply.header('content-disposition', `attachment; filename="${fileName}"`);
  if (body.byteLength >= largeBytes) giveBackWhenSent(reply, body);
  return reply.send(Buffer.from(body.buffer, body.byteOffset, body.byteLength));
}

/** Else it waits here until this thread, which makes little garbage, collects some day, and lies beside the next answer. */
function giveBackWhenSent({ raw }: FastifyReply, body: Reply['body']): void {
  const { buffer } = body;
  sendersOf.set(buffer, (sendersOf.get(buffer) ?? 0) + 1);
  raw.once('close', () => {
    const others = (sendersOf.get(buffer) ?? 1) - 1;
    sendersOf.set(buffer, others);
    if (others > 0) return;
    // Where a client went away, a write of it may still be under way.
    if (raw.writableFinished) discard(body);
    else setImmediate(() => garbage.collectYoung());
  });
}
