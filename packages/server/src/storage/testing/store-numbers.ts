// Stores numbered profiles from argv[3] on in the folder argv[2], says each when it is durable, and makes blocks and merges
// them all the while, until it is killed.
import { Maintenance } from '../embedded/maintenance.ts';
import { EmbeddedWriter } from '../embedded/writer.ts';
import { numberedBatch } from './numbered-batch.ts';

const [dataDir = '', first = '0'] = process.argv.slice(2);
const writer = new EmbeddedWriter(dataDir, 0, { profiles: 7 });
const maintenance = new Maintenance(dataDir);
for (let n = Number(first); ; n++) {
  await writer.append([numberedBatch(n)]);
  process.stdout.write(`${n}\n`);
  maintenance.step(Number.MAX_SAFE_INTEGER, true);
}
