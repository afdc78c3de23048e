import { mkdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { type Agent, startAgent } from './agent.ts';
import { LossCounters } from './health/counters.ts';
import { type HealthServer, startHealthServer } from './health/start-health-server.ts';
import { type DiskShipper, createShipper } from './shipping/create-shipper.ts';

export interface RunAgentOptions {
  readonly server: URL;
  /** Queue and identity of the agent; one process may use it at a time. */
  readonly dataDir: string;
  readonly frequencyHz: number;
  readonly intervalMs: number;
  readonly maxQueueBytes: number;
  /** Frames of interpreters themselves are shown beside the functions that they run; folded when left out. */
  readonly showsRuntimeFrames?: boolean;
  /** Of Everflame. */
  readonly version: string;
  /** Default: this host's. */
  readonly hostName?: string;
  /** Serve metrics and probes there. */
  readonly metricsListen?: { readonly host: string; readonly port: number };
  /** Takes one line without its end. Default: stderr. */
  readonly log?: (line: string) => void;
}

export interface RunningAgent {
  /** Samples no more, queues the last interval and sends what is queued; what is not sent after `shipDeadlineMs` stays on disk. */
  stop(shipDeadlineMs: number): Promise<void>;
}

/**
 * The whole agent: sampling, names, shipping and health, put together.
 *
 * @throws DataDirectoryLockedError when another agent works in `dataDir`
 * @throws LibbpfMissing, ProgramRefused, SystemError when this host cannot be sampled (`checkHost` says what to do)
 */
export async function runAgent(options: RunAgentOptions): Promise<RunningAgent> {
  const losses = new LossCounters();
  const hostName = options.hostName ?? hostname();
  const log = options.log ?? ((line: string): void => void process.stderr.write(`everflame agent: ${line}\n`));
  mkdirSync(options.dataDir, { recursive: true, mode: 0o700 });

  const { server, dataDir, version, maxQueueBytes, frequencyHz, intervalMs } = options;
  const shipper = await createShipper({ server, dataDir, hostName, version, lossCounters: losses, maxQueueBytes, log });
  let agent: Agent | undefined;
  let health: HealthServer | undefined;
  try {
    const tableCacheDirectory = join(dataDir, 'unwind-tables');
    agent = await startAgent({
      frequencyHz,
      intervalMs,
      shipper,
      hostName,
      losses,
      log,
      tableCacheDirectory,
      showsRuntimeFrames: options.showsRuntimeFrames === true,
    });
    health = await serveHealth(options, losses, shipper, agent);
  } catch (error) {
    await agent?.stop();
    await shipper.close();
    throw error;
  }
  const started = agent;
  return {
    async stop(shipDeadlineMs) {
      await started.stop();
      await shipper.drain(shipDeadlineMs);
      await shipper.close();
      await health?.close();
    },
  };
}

async function serveHealth(
  { metricsListen, version }: RunAgentOptions,
  losses: LossCounters,
  shipper: DiskShipper,
  agent: Agent,
): Promise<HealthServer | undefined> {
  if (metricsListen === undefined) return undefined;
  return startHealthServer({
    listen: metricsListen,
    version,
    losses,
    shipper,
    sampledTotal: () => agent.status().sampled,
    unwinding: () => agent.status().unwinding,
  });
}
