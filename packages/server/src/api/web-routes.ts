import { existsSync } from 'node:fs';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';
import { Refused } from '../problem.ts';
import { sendProblem } from './problem-answer.ts';

/** Vite puts a hash of the content into these names. */
const hashedFile = /[/\\]assets[/\\][^/\\]+-[A-Za-z0-9_-]{8,}\.[a-z0-9]+$/;

/** Serves the built page. Paths without a file are pages of its own and get its index. */
export async function addWebRoutes(app: FastifyInstance, webRoot: string | undefined): Promise<void> {
  const hasPage = webRoot !== undefined && existsSync(join(webRoot, 'index.html'));
  if (hasPage) {
    await app.register(fastifyStatic, {
      root: webRoot,
      wildcard: true,
      cacheControl: false,
      setHeaders: (reply, path) => {
        void reply.header('cache-control', hashedFile.test(path) ? 'public, max-age=31536000, immutable' : 'no-cache');
      },
    });
  }
  app.setNotFoundHandler(async (request, reply) => {
    const path = request.url.replace(/\?.*$/s, '');
    const isPage =
      (request.method === 'GET' || request.method === 'HEAD') && !/^\/(?:api|-|metrics|assets)(?:\/|$)/.test(path);
    if (isPage && hasPage && !/\.[a-z0-9]+$/i.test(path)) {
      return reply.header('cache-control', 'no-cache').sendFile('index.html');
    }
    const detail =
      isPage && !hasPage
        ? 'this server was started without its web page: build it with npm start; the API is described in /api/v1/openapi.json'
        : `there is nothing at ${request.method} ${path}: /api/v1/openapi.json lists what there is`;
    return sendProblem(request, reply, new Refused(404, 'not_found', detail).problem);
  });
}
