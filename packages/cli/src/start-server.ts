import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Server, ServerStartError, createServer } from '@everflame/server';
import { CommandFailure } from './failure.ts';
import type { ServerFlags } from './server-flags.ts';
import { trimMemory } from './trim-memory.ts';
import { everflameVersion } from './version.ts';

/** Starts the server with the page, if it has been built. What the user can mend (port taken, folder not writable) is a CommandFailure. */
export async function startServer(flags: ServerFlags, notices: readonly string[]): Promise<Server> {
  const webRoot = fileURLToPath(new URL('../../../web/dist', import.meta.url));
  try {
    return await createServer({
      listen: flags.listen,
      dataDir: resolve(flags.dataDir),
      version: everflameVersion(),
      notices,
      limits: {
        maxProfileBytes: flags.maxProfileBytes,
        maxQueryMs: flags.maxQueryTime,
        maxQueryBytes: flags.maxQueryBytes,
      },
      retention: {
        ...flags.retention,
        ...(flags.retentionSize === undefined ? {} : { maxBytes: flags.retentionSize }),
      },
      webhooks: flags.webhook ?? [],
      sourceRoots: flags.sourceRoot ?? [],
      trimMemory: trimMemory(),
      ...(flags.publicUrl === undefined ? {} : { publicUrl: flags.publicUrl }),
      ...(flags.findings ? {} : { findingsEveryMs: 0 }),
      ...(existsSync(webRoot) ? { webRoot } : {}),
    });
  } catch (error) {
    if (error instanceof ServerStartError) throw new CommandFailure(error.message);
    throw error;
  }
}
