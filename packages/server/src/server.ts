import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { constants } from 'node:zlib';
import compress from '@fastify/compress';
import helmet from '@fastify/helmet';
import fastify, { type FastifyInstance } from 'fastify';
import { Connections } from './api/connections.ts';
import { addFindingsRoutes } from './api/findings-routes.ts';
import { guardAgainstPages, isLoopback } from './api/guard.ts';
import { OpenApi } from './api/openapi.ts';
import { problemOf, sendProblem } from './api/problem-answer.ts';
import { addReadRoutes } from './api/read-routes.ts';
import { SchemaCompilers } from './api/schema-compilers.ts';
import { addSourceRoutes } from './api/source-routes.ts';
import { addStatusRoutes } from './api/status-routes.ts';
import { addWebRoutes } from './api/web-routes.ts';
import { addWriteRoutes } from './api/write-routes.ts';
import { Findings, questionsOf } from './findings/findings.ts';
import type { Webhook } from './findings/webhooks/webhook.ts';
import { Garbage } from './garbage.ts';
import { Ingest } from './ingest/ingest.ts';
import { Metrics } from './metrics.ts';
import { Refused } from './problem.ts';
import { defaultBudget } from './query/budget.ts';
import { Queries } from './query/queries.ts';
import { SourceFiles, type SourceRoot } from './source/source-files.ts';
import { lockDataDir } from './storage/embedded/database.ts';
import { MaintenanceThread } from './storage/embedded/maintenance-thread.ts';
import type { Retention } from './storage/embedded/retention.ts';
import { logDamage } from './storage/embedded/write-ahead-log.ts';
import { StorageError } from './storage/storage.ts';
import { Trimming } from './trimming.ts';

export interface ServerLimits {
  /** Body of a request, compressed. Default 16 MiB. */
  readonly maxBodyBytes: number;
  /** One profile, unpacked. Default 64 MiB. */
  readonly maxProfileBytes: number;
  /** Bodies that wait to be stored, all requests together. Default 64 MiB. */
  readonly maxQueuedBytes: number;
  /** Reader threads. Default 2. */
  readonly maxReaders: number;
  /** Questions that wait for a reader. Default 64. */
  readonly maxWaitingQueries: number;
  /** Time of one question. Default 30 s. */
  readonly maxQueryMs: number;
  /** Memory of one question outside of JavaScript's heap: columns of profiles and trees. Default 1 GiB. */
  readonly maxQueryBytes: number;
}

export interface ServerOptions {
  /** Port 0 takes a free one. */
  readonly listen: { readonly host: string; readonly port: number };
  readonly dataDir: string;
  /** Said in /api/v1/status as it is. */
  readonly version?: string;
  /** Lines for /api/v1/status, see `Server.addNotice`. */
  readonly notices?: readonly string[];
  /** The built page, `web/dist`. */
  readonly webRoot?: string;
  readonly limits?: Partial<ServerLimits>;
  /** Folders whose source files everybody who reaches the server may read. Default: none. */
  readonly sourceRoots?: readonly SourceRoot[];
  /** What is deleted in the course of time. Default: nothing. */
  readonly retention?: Retention;
  /** Who is told of findings. */
  readonly webhooks?: readonly Webhook[];
  /** Where people find the page, for links in messages. Default: where it listens. */
  readonly publicUrl?: URL;
  /** Pause between two passes over all services. Default a minute; 0: the server looks for no findings. */
  readonly findingsEveryMs?: number;
  /** Gives memory that is not used back to the system, such as what malloc keeps: called when it has grown. Default: nothing does. */
  readonly trimMemory?: () => void;
  /** Where what goes wrong inside is written, one line each. Default: standard error. */
  readonly log?: (line: string) => void;
}

export interface Server {
  /** Where it listens, for example `http://127.0.0.1:4099`. */
  readonly url: string;
  /** One line that the page shows, for example why this host is not profiled and how to mend it. */
  addNotice(notice: string): void;
  /** Ends when what was accepted is stored. */
  close(): Promise<void>;
}

/** Why a server did not start, and what to do. `code` is stable: `listen`, `storage_locked`, `storage_unavailable`, `storage_damaged`, `storage_newer_format`. */
export class ServerStartError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ServerStartError';
    this.code = code;
  }
}

const mib = 1024 * 1024;
/** What loading took is given back when those who waited for the start have been answered. */
const settleMs = 500;
const defaultLimits: ServerLimits = {
  maxBodyBytes: 16 * mib,
  maxProfileBytes: 64 * mib,
  maxQueuedBytes: 64 * mib,
  maxReaders: 2,
  maxWaitingQueries: 64,
  maxQueryMs: defaultBudget.timeMs,
  maxQueryBytes: defaultBudget.memoryMb * mib,
};

/**
 * Starts a server: it listens when the promise resolves.
 *
 * @throws ServerStartError what the one who starts it can mend
 */
export async function createServer(options: ServerOptions): Promise<Server> {
  const limits = { ...defaultLimits, ...options.limits };
  const log = options.log ?? ((line: string) => void process.stderr.write(`${line}\n`));
  const closers: (() => Promise<unknown>)[] = [];
  const close = async () => {
    for (const closer of closers.splice(0).toReversed()) await closer();
  };
  try {
    const lock = lockDataDir(options.dataDir);
    closers.push(() => Promise.resolve(lock.close()));
    const damage = logDamage(options.dataDir);
    if (damage !== null) throw damage;
    const metrics = new Metrics();
    // The thread starts while this one loads the rest.
    const garbage = new Garbage();
    const collectAtRest = () => garbage.collectAtRest();
    const starting = Ingest.start(options.dataDir, limits, collectAtRest);
    // Also where the rest fails first, while it starts. That it failed itself is told below.
    closers.push(async () => (await starting.catch(() => null))?.close());
    const [ingest, app] = await Promise.all([starting, buildApp({ ...options, log }, metrics)]);
    const connections = new Connections(app.server);
    const maintenance = new MaintenanceThread(options.dataDir, options.retention ?? {}, log);
    closers.push(() => maintenance.close());
    const queries = new Queries({
      dataDir: options.dataDir,
      workerUrl: new URL('read-worker.ts', import.meta.url),
      maxWorkers: limits.maxReaders,
      maxWaiting: limits.maxWaitingQueries,
      budget: { timeMs: limits.maxQueryMs, memoryMb: limits.maxQueryBytes / mib },
    });
    closers.push(() => queries.close());
    const version = options.version ?? '0.0.0';
    const findings = new Findings({
      dataDir: options.dataDir,
      questions: questionsOf(queries),
      webhooks: options.webhooks ?? [],
      version,
      log,
      writer: () => ({ isBusy: ingest.queuedBytes > 0, storedMs: ingest.storedMs }),
      ...(options.findingsEveryMs === undefined ? {} : { everyMs: options.findingsEveryMs }),
    });
    closers.push(() => findings.close());
    const notices = [...(options.notices ?? [])];
    const facts = { version, startedMs: Date.now(), notices };
    addReadRoutes(app, queries);
    addWriteRoutes(app, ingest, queries, limits);
    addFindingsRoutes(app, findings);
    addSourceRoutes(app, new SourceFiles(options.sourceRoots ?? []));
    addStatusRoutes(app, { ingest, queries, findings, metrics, facts });
    await addWebRoutes(app, options.webRoot);
    await app.listen({ host: options.listen.host, port: options.listen.port });
    closers.push(() => connections.endDuring(() => app.close()));
    const { port } = app.server.address() as AddressInfo;
    const host = options.listen.host.includes(':') ? `[${options.listen.host}]` : options.listen.host;
    const url = `http://${host}:${port}`;
    const settled = setTimeout(collectAtRest, settleMs).unref();
    closers.push(() => Promise.resolve(clearTimeout(settled)));
    if (options.trimMemory !== undefined) {
      const trimming = new Trimming(options.trimMemory);
      closers.push(() => Promise.resolve(trimming.close()));
    }
    findings.start((options.publicUrl ?? new URL(url)).href);
    return { url, addNotice: (notice) => void notices.push(notice), close };
  } catch (error) {
    await close();
    throw startError(error, options);
  }
}

async function buildApp(
  { listen, version, log }: ServerOptions & { readonly log: (line: string) => void },
  metrics: Metrics,
): Promise<FastifyInstance> {
  const compilers = new SchemaCompilers();
  const app = fastify({
    serverFactory: (handler) => createHttpServer({ keepAliveTimeout: 75_000 }, handler),
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 512 },
    bodyLimit: 64 * 1024,
    schemaController: { compilersFactory: compilers.factories },
  });
  compilers.addHook(app);
  app.setErrorHandler((error, request, reply) => {
    const problem = problemOf(error);
    metrics.refused(problem.code);
    if (problem.status >= 500) log(`${request.method} ${request.url}: ${problem.code}: ${problem.detail}`);
    return sendProblem(request, reply, problem);
  });
  app.addHook('onResponse', async (request, reply) => {
    metrics.observe(request.method, request.routeOptions.url ?? '', reply.statusCode, reply.elapsedTime / 1000);
  });
  guardAgainstPages(app, isLoopback(listen.host));
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'", 'data:'],
        fontSrc: ["'self'"],
        connectSrc: ["'self'"],
        manifestSrc: ["'self'"],
        baseUri: ["'none'"],
        formAction: ["'none'"],
        frameAncestors: ["'none'"],
      },
    },
    // The server speaks plain HTTP; who puts TLS before it sets this there.
    strictTransportSecurity: false,
  });
  await app.register(compress, {
    threshold: 1024,
    encodings: ['br', 'gzip'],
    globalDecompression: false,
    customTypes:
      /^text\/(?!event-stream)|[+/](?:json|xml|javascript|yaml)(?:;|$)|octet-stream(?:;|$)|vnd\.everflame\./u,
    // Measured on a tree of 4.5 MB: 17 ms for 521 kB; the library's default takes three times as long for a tenth less.
    brotliOptions: { params: { [constants.BROTLI_PARAM_QUALITY]: 2 } },
    zlibOptions: { level: 1 },
  });
  const openApi = new OpenApi(app, version ?? '0.0.0', compilers);
  app.get('/api/v1/openapi.json', { schema: { hide: true } }, () => openApi.document());
  return app;
}

/** What the one who starts the server can mend becomes a ServerStartError; the rest stays what it is. */
function startError(error: unknown, { listen }: ServerOptions): unknown {
  if (error instanceof Refused) return new ServerStartError(error.problem.code, error.message, { cause: error });
  if (error instanceof StorageError)
    return new ServerStartError(`storage_${error.code}`, error.message, { cause: error });
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) return error;
  const address = `${listen.host}:${listen.port}`;
  const detail =
    error.code === 'EADDRINUSE'
      ? `${address} is in use: stop what listens there, or give another with --listen`
      : `cannot listen on ${address} (${error.message}): give another address with --listen`;
  return new ServerStartError('listen', detail, { cause: error });
}
