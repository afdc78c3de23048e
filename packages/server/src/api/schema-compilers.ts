import type { TypeBoxValidatorCompiler } from '@fastify/type-provider-typebox';
import type { FastifyInstance, FastifyServerOptions } from 'fastify';

type Compiler = typeof TypeBoxValidatorCompiler;
type Factories = Required<NonNullable<NonNullable<FastifyServerOptions['schemaController']>['compilersFactory']>>;

/**
 * What Fastify makes of schemas, in place of compilers of its own, which it would load. Checks of requests: what makes them is loaded with the first request, and
 * each is made when its route is asked for the first time, since loading takes an eighth of a server's start and 13 MB. Answers need none: they are typed by
 * their schemas, so that nothing has to be left out of them.
 */
export class SchemaCompilers {
  #compiler: Compiler | null = null;

  /** For Fastify's `schemaController`, whose types know Ajv's compilers alone. */
  readonly factories: Factories = {
    buildValidator: (() => this.#validatorOf) as unknown as Factories['buildValidator'],
    buildSerializer: () => () => JSON.stringify,
  };

  /** Before the first check. */
  addHook(app: FastifyInstance): void {
    app.addHook('preValidation', async () => {
      this.#compiler ??= (await import('@fastify/type-provider-typebox')).TypeBoxValidatorCompiler;
    });
  }

  readonly #validatorOf: Compiler = (route) => {
    let validate: ReturnType<Compiler> | undefined;
    return (value: unknown) => {
      if (this.#compiler === null) throw new Error('a request is checked before what checks it is loaded');
      validate ??= this.#compiler(route);
      return validate(value);
    };
  };
}
