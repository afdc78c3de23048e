import { zstdDecompressSync } from 'node:zlib';
import { decodeWriteRequest } from '@everflame/protocols/write';
import { decodeQueueFile } from './queue-file.ts';

/** What the server would unpack at most. */
const maxRawBytes = 256 * 1024 * 1024;

/** One file of the queue as lines for people: what it is, and a line for each of its profiles. Never throws: damage is a line. */
export function describeBatch(bytes: Uint8Array): string[] {
  const file = decodeQueueFile(bytes);
  if (file.kind === 'damaged') return [`damaged: ${file.reason}`];
  try {
    const request = decodeWriteRequest(zstdDecompressSync(file.payload, { maxOutputLength: maxRawBytes }));
    const { agent, counters, profiles } = request;
    const losses = counters.filter((row) => row.total > 0n).map((row) => `${row.name}/${row.cause} ${row.total}`);
    return [
      `written ${new Date(file.writtenUnixMs).toISOString()}, ${file.payload.length} bytes compressed`,
      `batch ${Buffer.from(request.batchId).toString('hex')} of agent ${agent.id} ${agent.version} on ${agent.hostName} (${agent.kernel} ${agent.architecture})`,
      `losses: ${losses.join(', ') || 'none'}`,
      ...profiles.map((profile) => `${profile.pprof.length} bytes ${labelText(profile.labels)}`),
    ];
  } catch (error) {
    return [`damaged: ${error instanceof Error ? error.message : String(error)}`];
  }
}

function labelText(labels: Readonly<Record<string, string>>): string {
  return `{${Object.entries(labels)
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .join(', ')}}`;
}
