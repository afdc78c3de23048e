// Runs a server alone, for tests that kill it or need its own process: node test/e2e/serve.ts DATA_DIR [PORT [OPTIONS as JSON]]
import { createServer, type ServerOptions } from '@everflame/server';
import { trimMemory } from '../../packages/cli/src/trim-memory.ts';

const [dataDir, port = '0', more = '{}'] = process.argv.slice(2);
if (dataDir === undefined) throw new Error('usage: node test/e2e/serve.ts DATA_DIR [PORT [OPTIONS]]');
const options = JSON.parse(more) as Partial<ServerOptions>;
const listen = { host: '127.0.0.1', port: Number(port) };
const server = await createServer({ listen, dataDir, trimMemory: trimMemory(), ...options });
console.log(`ready ${server.url}`);
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => void server.close().then(() => process.exit(0)));
}
