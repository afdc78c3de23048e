/**
 * /api/v1/compare on a stored fleet, through the server: `npm run bench:counts -- --keep`, then `npm run bench:compare-store -- DIRECTORY` with the
 * directory that it names. Prints the time of each answer, with and without what follows findings, and the most memory that the server
 * took. Timings are noisy on a shared machine.
 */
import { readFileSync } from 'node:fs';
import type { http } from '@everflame/protocols';
import { getJson } from '../support/api.ts';
import { startServerProcess } from '../e2e/server-process.ts';

const [dataDir, rounds = '3'] = process.argv.slice(2);
if (dataDir === undefined) throw new Error('usage: npm run bench:compare-store -- DIRECTORY [ROUNDS]');
const server = await startServerProcess(dataDir);
const peakMb = (): number =>
  Number(/^VmHWM:\s+(\d+) kB$/mu.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))?.[1]) / 1024;
try {
  console.log(`server at rest: ${peakMb().toFixed(0)} MB`);
  const { deployments } = await getJson<http.DeploymentsAnswer>(server.url, '/api/v1/deployments');
  const [after, before] = deployments;
  if (before === undefined || after === undefined) throw new Error('the store has no two versions');
  for (let round = 0; round < Number(rounds); round++) {
    const startedAt = performance.now();
    const answer = await getJson<http.CompareAnswer>(server.url, '/api/v1/compare', {
      service: before.service,
      before: before.version,
      after: after.version,
      past: '0',
    });
    const ms = performance.now() - startedAt;
    const { summary, functions } = answer;
    const cells = functions.reduce((sum, { units }) => sum + units.before + units.after, 0);
    console.log(
      `${summary.before.units} + ${summary.after.units} ${summary.unitKind}s, ${functions.length} functions, ${summary.before.samples + summary.after.samples} samples: ${ms.toFixed(0)} ms, ${((ms * 1e6) / cells).toFixed(0)} ns per function and unit; server ${peakMb().toFixed(0)} MB`,
    );
    console.log(answer.sentence);
  }
} finally {
  await server.end('SIGTERM');
}
