import fastify, { type FastifyInstance, type RouteOptions } from 'fastify';
import type { SchemaCompilers } from './schema-compilers.ts';

/**
 * Describes the routes that are added after it. What writes the description is loaded when somebody asks for it: it took a twelfth of what the main thread
 * does until the server listens.
 */
export class OpenApi {
  readonly #routes: RouteOptions[] = [];
  readonly #version: string;
  readonly #compilers: SchemaCompilers;
  #document: Promise<object> | null = null;

  constructor(app: FastifyInstance, version: string, compilers: SchemaCompilers) {
    this.#version = version;
    this.#compilers = compilers;
    app.addHook('onRoute', (route) => void this.#routes.push(route));
  }

  /** The OpenAPI document of all routes that do not hide. */
  document(): Promise<object> {
    return (this.#document ??= this.#write());
  }

  /** By a server that never listens and has the same routes. */
  async #write(): Promise<object> {
    const { default: swagger } = await import('@fastify/swagger');
    const described = fastify({
      exposeHeadRoutes: false,
      schemaController: { compilersFactory: this.#compilers.factories },
    });
    await described.register(swagger, {
      openapi: {
        openapi: '3.1.0',
        info: { title: 'Everflame', version: this.#version, description: 'Profiles: ingest, queries and downloads.' },
      },
    });
    for (const { method, url, schema } of this.#routes) {
      if (method === 'HEAD') continue;
      described.route({ method, url, ...(schema === undefined ? {} : { schema }), handler: () => null });
    }
    await described.ready();
    return described.swagger();
  }
}
