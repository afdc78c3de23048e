import { http } from '@everflame/protocols';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { Refused } from '../problem.ts';
import { type Parameters, present, required } from '../query/parameters.ts';
import { maxLines, type SourceFiles } from '../source/source-files.ts';
import { readQueryString } from './query-string.ts';

/** Files that are read at the same time; each may be 2 MiB. */
const maxReading = 8;

/** The text of a source file, where whoever runs the server allows it. That there is none is an answer, not an error. */
export function addSourceRoutes(app: FastifyInstance, sources: SourceFiles): void {
  const known = Object.keys(http.SourceQuery);
  const schema = {
    summary: 'Lines of a source file that profiles name',
    querystring: Type.Object(http.SourceQuery),
    response: { 200: http.SourceAnswer, '4xx': http.Problem },
  };
  const preValidation = async (request: FastifyRequest) => void readQueryString(request, known);
  let reading = 0;
  app.get('/api/v1/source', { schema, preValidation }, async (request, reply): Promise<http.SourceAnswer> => {
    const parameters = readQueryString(request, known);
    const file = required(parameters, 'file', 'the name of a file as /api/v1/lines shows it');
    const first = readLine(parameters, 'first') ?? 1;
    const last = readLine(parameters, 'last') ?? first + maxLines - 1;
    if (last < first) throw new Refused(400, 'bad_value', 'last comes before first', 'last');
    if (reading >= maxReading) throw new Refused(429, 'too_many_queries', 'too many files are being read: try again');
    reading++;
    try {
      const found = await sources.read(file, first, last);
      void reply.header('cache-control', 'no-store');
      return found.ok
        ? { file, first, lines: [...found.lines], lineCount: found.lineCount, reason: null, detail: '' }
        : { file, first, lines: null, lineCount: 0, reason: found.reason, detail: found.detail };
    } finally {
      reading--;
    }
  });
}

/** @throws Refused 400 `bad_value` */
function readLine(parameters: Parameters, name: string): number | undefined {
  const text = present(parameters, name);
  if (text === undefined) return undefined;
  if (/^[1-9][0-9]{0,8}$/.test(text)) return Number(text);
  throw new Refused(400, 'bad_value', `${name} is ${JSON.stringify(text)}: give the number of a line`, name);
}
