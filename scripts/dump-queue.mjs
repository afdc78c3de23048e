// Shows what waits in an agent's queue on disk: node scripts/dump-queue.mjs DATA_DIR/queue/*.batch
// (Node.js 24; `node scripts/with-tools.mjs node scripts/dump-queue.mjs …` brings it.)
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { describeBatch } from '../packages/agent/src/shipping/describe-batch.ts';

const files = process.argv.slice(2);
if (files.length === 0) {
  console.error('usage: node scripts/dump-queue.mjs DATA_DIR/queue/*.batch');
  process.exit(2);
}
for (const file of files) {
  console.log(`${file}\n  ${describeBatch(readFileSync(file)).join('\n  ')}`);
}
