import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type ServerOptions } from '@everflame/server';
import { buildWeb } from '../../scripts/build-web.mjs';

export interface PageServer {
  readonly url: string;
  /** Ends it and forgets what it stored. */
  close(): Promise<void>;
}

interface PageServerOptions extends Pick<ServerOptions, 'notices' | 'sourceRoots'> {
  /** Stores something. After that the server is started anew and looks for findings at once. */
  readonly fill?: (url: string) => Promise<void>;
}

/** A server with an empty store, unless it is filled, and a current build of the page. */
export async function startPageServer({ fill, ...options }: PageServerOptions = {}): Promise<PageServer> {
  await buildWeb();
  const dataDir = await mkdtemp(join(tmpdir(), 'everflame-web-'));
  const start = async (more: Partial<ServerOptions>) =>
    createServer({
      listen: { host: '127.0.0.1', port: 0 },
      dataDir,
      version: '0.1.0',
      webRoot: new URL('../../web/dist', import.meta.url).pathname,
      ...options,
      ...more,
    });
  if (fill !== undefined) {
    const filled = await start({ findingsEveryMs: 0 });
    await fill(filled.url);
    await filled.close();
  }
  const server = await start(fill === undefined ? {} : { findingsEveryMs: 500 });
  return {
    url: server.url,
    async close() {
      await server.close();
      await rm(dataDir, { recursive: true });
    },
  };
}
