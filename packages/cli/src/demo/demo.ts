import { setTimeout as sleep } from 'node:timers/promises';
import type { http } from '@everflame/protocols';
import { ApiClient } from '../api-client.ts';
import { CommandFailure } from '../failure.ts';
import { formatComparison } from '../render/comparison-table.ts';
import { findServer } from './demo-server.ts';
import { runShop, type ShopRun } from './shop-run.ts';

export interface DemoOptions {
  /** A running server; left out: the one at the default address, else one started for the demo. */
  readonly server?: URL;
  /** How long each version runs under load, in seconds. */
  readonly secondsPerVersion?: number;
  /** End after the comparison, also when the server was started for the demo. */
  readonly exit: boolean;
  /** Aborted at Ctrl-C. */
  readonly signal: AbortSignal;
}

const service = 'shop';
const before = '1.0.0';
const after = '1.1.0';
/** Profiles start at whole multiples of this; the agent's default. */
const intervalMs = 10_000;
const visibleTimeoutMs = 180_000;
const agentTimeoutMs = 60_000;
const pollMs = 250;
const functionsShown = 12;
/** So many shops of each version, so that the comparison has units; one is no evidence. */
const instances = 5;
const requestsPerSecond = 500;
/** Shops load their modules and compile their code at first, which is not what is compared. */
const warmUpMs = 5000;

const say = (line: string) => process.stdout.write(`${line}\n`);

/**
 * Runs five instances of the sample service as 1.0.0 and then as 1.1.0, which has a planted regression, an improvement, a function that moved and one that was
 * renamed, and ends by printing the verdict and where to look at it. A server that it had to start goes on serving until `signal`, unless told to exit.
 * Throws CommandFailure when there is no server, no agent, or when nothing arrives.
 */
export async function runDemo(options: DemoOptions): Promise<void> {
  const server = await findServer(options.server);
  try {
    say(server.isOwn ? `server and agent started at ${server.url.origin}` : `using the server at ${server.url.origin}`);
    await compareVersions(new ApiClient(server.url), options);
    if (!server.isOwn || options.exit) return;
    say('still serving this page; end with Ctrl-C');
    await aborted(options.signal);
  } catch (error) {
    // Ctrl-C is an end like any other.
    if (!options.signal.aborted) throw error;
  } finally {
    await server.close();
  }
}

async function compareVersions(api: ApiClient, { secondsPerVersion = 30, signal }: DemoOptions): Promise<void> {
  await waitForAgent(api, signal);
  const runs: ShopRun[] = [];
  for (const version of [before, after]) {
    say(`${instances} shops of ${version} under load for ${secondsPerVersion} s`);
    runs.push(await runShop({ version, instances, requestsPerSecond, seconds: secondsPerVersion }, signal));
  }
  say('waiting until the last profiles have arrived');
  const [left, right] = runs.map(rangeOf);
  if (left === undefined || right === undefined) throw new Error('two versions');
  await waitForVersions(api, Number(right.until), signal);
  const asked = {
    service,
    before,
    after,
    before_from: left.from,
    before_until: left.until,
    after_from: right.from,
    after_until: right.until,
  };
  const answer = await api.get<http.CompareAnswer>('/api/v1/compare', asked);
  say('');
  say(formatComparison(answer, functionsShown));
  say('');
  say(`compare ${api.url('/compare', asked).href}`);
}

/** Whole intervals after the warm-up: a profile that began in it has all that the shops loaded and compiled. */
function rangeOf({ readyMs, endMs }: ShopRun): { readonly from: string; readonly until: string } {
  return {
    from: String(Math.ceil((readyMs + warmUpMs) / intervalMs) * intervalMs),
    until: String(Math.floor(endMs / intervalMs) * intervalMs),
  };
}

/** Without an agent that reports, nothing would ever arrive: says so before the load is run. */
async function waitForAgent(api: ApiClient, signal: AbortSignal): Promise<void> {
  let status = await api.get<http.StatusAnswer>('/api/v1/status');
  const deadline = Date.now() + agentTimeoutMs;
  const isAlive = () => status.agents.some((agent) => Date.now() - agent.lastSeen < 60_000);
  while (!isAlive() && Date.now() < deadline) {
    await sleep(pollMs, undefined, { signal });
    status = await api.get<http.StatusAnswer>('/api/v1/status');
  }
  if (isAlive()) return;
  const reason = status.notices.join(' ') || `start one with: everflame agent --server ${api.url('/').origin}`;
  throw new CommandFailure(`no agent reports to this server, so nothing is profiled; ${reason}`);
}

/** Until the server lists both versions, and of the newer one what it did to its end: `lastSeen` is the end of its last profile. */
async function waitForVersions(api: ApiClient, endedMs: number, signal: AbortSignal): Promise<void> {
  const deadline = Date.now() + visibleTimeoutMs;
  for (;;) {
    const { deployments } = await api.get<http.DeploymentsAnswer>('/api/v1/deployments');
    const lastSeenOf = (version: string) =>
      Math.max(
        ...deployments
          .filter((row) => row.service === service && row.version === version)
          .map((row) => row.lastSeen ?? 0),
      );
    const isComplete = lastSeenOf(before) > 0 && lastSeenOf(after) >= endedMs;
    if (isComplete) return;
    if (Date.now() >= deadline) {
      throw new CommandFailure(
        `the server at ${api.url('/').origin} did not list both versions of ${service} within ${visibleTimeoutMs / 1000} s; see the agent's messages`,
      );
    }
    await sleep(pollMs, undefined, { signal });
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
