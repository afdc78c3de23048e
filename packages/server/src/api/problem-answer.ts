import type { http } from '@everflame/protocols';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { bugOf, type Problem, Refused } from '../problem.ts';

const titles: Readonly<Record<number, string>> = {
  400: 'Bad request',
  403: 'Forbidden',
  404: 'Not found',
  405: 'Method not allowed',
  413: 'Too large',
  415: 'Unsupported media type',
  421: 'Misdirected request',
  422: 'Cannot be answered',
  429: 'Too many requests',
  500: 'Internal error',
  503: 'Unavailable',
};

/** Sends an RFC 9457 problem; in words alone to `go tool pprof`, which shows text but no JSON. */
export function sendProblem(request: FastifyRequest, reply: FastifyReply, problem: Problem): FastifyReply {
  const { status, code, field } = problem;
  const detail = code === 'bug' ? bugDetail : problem.detail;
  if (status === 429 || status === 503) void reply.header('retry-after', '1');
  void reply.code(status).header('cache-control', 'no-store');
  if ((request.headers['user-agent'] ?? '').startsWith('Go-http-client') && request.url.startsWith('/api/v1/pprof')) {
    return reply.header('x-go-pprof', '1').type('text/plain; charset=utf-8').send(detail);
  }
  const body: http.Problem = {
    type: `urn:everflame:problem:${code}`,
    title: titles[status] ?? 'Error',
    status,
    code,
    detail,
    ...(field === undefined ? {} : { field }),
  };
  return reply.type('application/problem+json; charset=utf-8').serializer(JSON.stringify).send(body);
}

/** What is wrong, in the words for the client, but for a bug: those are for the log. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Refused) return error.problem;
  if (!isFastifyError(error)) return bugOf(error);
  const { statusCode = 500, code, message } = error;
  if (error.validation !== undefined) {
    const first = error.validation[0];
    const field = (first?.instancePath ?? '').replace(/^\//, '').replaceAll('/', '.');
    const where = error.validationContext ?? 'request';
    return {
      status: 400,
      code: 'invalid_request',
      detail: `${message} (see /api/v1/openapi.json)`,
      field: field || where,
    };
  }
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    const detail =
      "the body is larger than this server takes: send smaller profiles, or raise the server's limit on bodies";
    return { status: 413, code: 'too_large', detail, field: 'body' };
  }
  if (statusCode >= 500) return bugOf(error);
  return { status: statusCode, code: code.toLowerCase().replace(/^fst_err_/, ''), detail: message };
}

const bugDetail = 'the server failed at this request through a fault of its own: its log says more';

function isFastifyError(error: unknown): error is FastifyError {
  return error instanceof Error && 'code' in error && typeof error.code === 'string';
}
