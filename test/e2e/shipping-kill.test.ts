// The agent is killed again and again in the midst of writing its queue: what it had said to be safe is, and no torn file
// stops what comes after it.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { numberOf } from '../support/numbered-profile.ts';
import { startRecordingServer } from '../support/recording-server.ts';
import { type NumberedAgent, startNumberedAgent } from '../support/start-numbered-agent.ts';

const rounds = 10;
const baseMs = 1_800_000_000_000;

const folder = mkdtempSync(path.join(tmpdir(), 'everflame-kill-'));
const agents: NumberedAgent[] = [];
afterEach(async () => {
  for (const agent of agents.splice(0)) await agent.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});

function start(server: URL, first: number): NumberedAgent {
  const agent = startNumberedAgent({ server, dataDir: folder, baseMs, first, intervalMs: 0 });
  agents.push(agent);
  return agent;
}

test('every profile that was safe on disk arrives once and in order after ten kills', async () => {
  const away = await startRecordingServer();
  await away.close();
  const queued: number[] = [];
  for (let round = 0; round < rounds; round++) {
    // The number after the last one may be on disk or not; it is not given again.
    const agent = start(away.url, (queued.at(-1) ?? -2) + 2);
    await agent.untilQueued(3 + Math.floor(Math.random() * 40));
    await agent.kill('SIGKILL');
    queued.push(...agent.queued);
  }

  const server = await startRecordingServer([], Number(away.url.port));
  try {
    const last = start(server.url, (queued.at(-1) ?? 0) + 2);
    await server.until(() => server.accepted.length >= queued.length);
    expect(await last.kill('SIGTERM')).toBe(0);
    queued.push(...last.queued);
    const arrived = server.accepted.flatMap((request) => request.profiles.map((each) => numberOf(each.pprof, baseMs)));
    expect(arrived).toEqual([...new Set(arrived)].toSorted((a, b) => a - b));
    expect(queued.filter((number) => !arrived.includes(number))).toEqual([]);
    // At most one for each kill was written and not yet spoken of.
    expect(arrived.filter((number) => !queued.includes(number)).length).toBeLessThanOrEqual(rounds);
  } finally {
    await server.close();
  }
});
