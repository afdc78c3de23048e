// Stores numbered profiles from argv[3] on in the folder argv[2], says each when it is durable, and makes blocks, merges and, with the
// argument `retention`, deletes them all the while, until it is killed. Time goes an hour with each profile.
import { writeSync } from 'node:fs';
import { Maintenance } from '../embedded/maintenance.ts';
import { EmbeddedWriter } from '../embedded/writer.ts';
import { numberedBatch, numberedRetention, numberedStartMs } from './numbered-batch.ts';

const [dataDir = '', first = '0', retention] = process.argv.slice(2);
const writer = new EmbeddedWriter(dataDir, 0, { profiles: 7 });
const maintenance = new Maintenance(dataDir, retention === undefined ? {} : numberedRetention);
for (let n = Number(first); ; n++) {
  await writer.append([numberedBatch(n)]);
  // Waits until it is written: what process.stdout keeps while nobody reads is lost when this is killed.
  writeSync(1, `${n}\n`);
  maintenance.step(numberedStartMs + n * 3_600_000, true);
}
