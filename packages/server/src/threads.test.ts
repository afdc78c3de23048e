import { expect, test } from 'vitest';
import { loadedModules } from '../../../test/support/loaded-modules.ts';

const modules = ['read-worker.ts', 'ingest/ingest-worker.ts', 'storage/embedded/maintenance-worker.ts'];

test.each(modules)('%s loads no schemas of the HTTP API, which take memory and time in each thread', (module) => {
  const url = new URL(module, import.meta.url);
  // They end at once, as they are in no thread; what they import is loaded before.
  const urls = loadedModules(`await import(${JSON.stringify(url)}).catch(() => undefined);`, import.meta.dirname);
  expect(urls).toContain(url.href);
  expect(urls.filter((one) => one.includes('/better-sqlite3/'))).not.toHaveLength(0);
  expect(urls.filter((one) => one.includes('/typebox/') || one.includes('/fastify/'))).toEqual([]);
});
