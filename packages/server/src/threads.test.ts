import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';

const modules = ['read-worker.ts', 'ingest/ingest-worker.ts', 'storage/embedded/maintenance-worker.ts'];

test.each(modules)('%s loads no schemas of the HTTP API, which take memory and time in each thread', (module) => {
  const url = new URL(module, import.meta.url).href;
  // They end at once, as they are in no thread; what they import is loaded before.
  const script = `
    const { registerHooks } = require('node:module');
    const urls = [];
    registerHooks({ load: (url, context, next) => (urls.push(url), next(url, context)) });
    import(${JSON.stringify(url)}).catch(() => undefined).then(() => console.log(JSON.stringify(urls)));`;
  const output = execFileSync(process.execPath, ['-e', script], { encoding: 'utf8' });
  const urls = JSON.parse(output) as string[];
  expect(urls).toContain(url);
  expect(urls.filter((one) => one.includes('/better-sqlite3/'))).not.toHaveLength(0);
  expect(urls.filter((one) => one.includes('/typebox/') || one.includes('/fastify/'))).toEqual([]);
});
