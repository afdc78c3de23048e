import { http } from '@everflame/protocols';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { Findings } from '../findings/findings.ts';
import { readQueryString } from './query-string.ts';

export function addFindingsRoutes(app: FastifyInstance, findings: Findings): void {
  const known = Object.keys(http.FindingsQuery);
  const schema = {
    summary: 'What changed, as the server itself has found it',
    querystring: Type.Object(http.FindingsQuery),
    response: { 200: http.FindingsAnswer, '4xx': http.Problem },
  };
  const preValidation = async (request: FastifyRequest) => void readQueryString(request, known);
  app.get('/api/v1/findings', { schema, preValidation }, async (request, reply) => {
    // fast-json-stringify refuses a tuple whose items have two types.
    void reply.header('cache-control', 'no-store').serializer(JSON.stringify);
    return findings.list(readQueryString(request, known));
  });
}
