import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { WriteAgent } from '@everflame/protocols/write';

/**
 * Who this agent is, for the server. The id is 32 hex digits made of a random secret in the data directory and the host's
 * name, so that a machine image that was copied with its data directory is another agent.
 */
export function agentIdentity(dataDir: string, hostName: string, version: string): WriteAgent {
  return {
    id: createHash('sha256')
      .update(`${seedOf(dataDir)}\0${hostName}`)
      .digest('hex')
      .slice(0, 32),
    hostName,
    version,
    kernel: os.release(),
    architecture: os.machine(),
    startedUnixNanos: BigInt(Date.now()) * 1_000_000n,
  };
}

/** Under the lock of the directory; a file that is not a seed (cut off by a crash) is made anew. */
function seedOf(dataDir: string): string {
  const file = path.join(dataDir, 'agent-seed');
  try {
    const seed = readFileSync(file, 'utf8').trim();
    if (/^[0-9a-f]{32}$/.test(seed)) return seed;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
  const seed = randomBytes(16).toString('hex');
  writeFileSync(file, `${seed}\n`, { mode: 0o600 });
  return seed;
}
