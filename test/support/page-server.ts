import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from '@everflame/server';
import { buildWeb } from '../../scripts/build-web.mjs';

export interface PageServer {
  readonly url: string;
  /** Ends it and forgets what it stored. */
  close(): Promise<void>;
}

/** A server with an empty store and a current build of the page. */
export async function startPageServer(notices: readonly string[] = []): Promise<PageServer> {
  await buildWeb();
  const dataDir = await mkdtemp(join(tmpdir(), 'everflame-web-'));
  const server = await createServer({
    listen: { host: '127.0.0.1', port: 0 },
    dataDir,
    version: '0.1.0',
    webRoot: new URL('../../web/dist', import.meta.url).pathname,
    notices,
  });
  return {
    url: server.url,
    async close() {
      await server.close();
      await rm(dataDir, { recursive: true });
    },
  };
}
