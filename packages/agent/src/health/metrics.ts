import { readdirSync } from 'node:fs';
import { Counter, Gauge, Registry } from 'prom-client';
import { type LossCounters, lossCauses, type LossName } from './counters.ts';

/** What a shipper tells of its queue. */
export interface QueueStatus {
  readonly queuedBatches: number;
  readonly queuedBytes: number;
  readonly maxQueueBytes: number;
  readonly sentBatches: number;
  readonly sentBytes: number;
  readonly failedAttempts: number;
  /** Unix milliseconds; null before the first. */
  readonly lastSentMs: number | null;
}

/** Where the numbers come from; each is asked at every scrape. */
export interface MetricSources {
  readonly losses: LossCounters;
  /** Of the agent. */
  readonly version: string;
  readonly shipper?: { status(): QueueStatus };
  /** Samples taken since the start. */
  readonly sampledTotal?: () => number;
  readonly unwinding?: () => UnwindingNumbers;
}

export interface UnwindingNumbers {
  readonly copied: number;
  readonly tableBytes: number;
  readonly processes: number;
}

/**
 * The agent's metrics: a registry of its own, filled at each scrape from the totals that the parts keep anyway. Of
 * prom-client's default metrics only those are made that cost nothing between scrapes.
 */
export function createMetrics(sources: MetricSources): Registry {
  const registry = new Registry();
  const registers = [registry];

  /** A counter whose total is kept elsewhere. */
  const total = (name: string, help: string, read: () => number) =>
    new Counter({
      name,
      help,
      registers,
      collect() {
        this.reset();
        this.inc(read());
      },
    });
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });

  const info = new Gauge({ name: 'everflame_agent_info', help: 'Always 1.', labelNames: ['version'], registers });
  info.set({ version: sources.version }, 1);
  addLosses(registry, sources.losses);

  const { sampledTotal, shipper, unwinding } = sources;
  if (sampledTotal !== undefined) total('everflame_agent_samples_total', 'Samples taken.', sampledTotal);
  if (unwinding !== undefined) {
    const help =
      'Samples whose stacks were copied and unwound by the agent, since the kernel part did not know their process yet.';
    total('everflame_agent_copied_stacks_total', help, () => unwinding().copied);
    gauge('everflame_agent_unwind_table_bytes', 'Unwind tables in the kernel.', () => unwinding().tableBytes);
    gauge('everflame_agent_known_processes', 'Processes that the kernel part can unwind.', () => unwinding().processes);
  }
  if (shipper !== undefined) {
    const status = () => shipper.status();
    gauge('everflame_agent_queue_batches', 'Batches that wait on disk.', () => status().queuedBatches);
    gauge('everflame_agent_queue_bytes', 'Size of the batches that wait on disk.', () => status().queuedBytes);
    gauge('everflame_agent_queue_max_bytes', 'Bound of the queue on disk.', () => status().maxQueueBytes);
    total('everflame_agent_sent_batches_total', 'Batches that the server took.', () => status().sentBatches);
    total('everflame_agent_sent_bytes_total', 'Size of the batches that the server took.', () => status().sentBytes);
    total(
      'everflame_agent_send_failures_total',
      'Attempts that failed and were repeated.',
      () => status().failedAttempts,
    );
    gauge(
      'everflame_agent_last_sent_timestamp_seconds',
      'When the server last took a batch; 0 before the first.',
      () => (status().lastSentMs ?? 0) / 1000,
    );
  }

  // Names of Prometheus' client guidelines, so that common dashboards know them.
  total('process_cpu_seconds_total', 'User and system CPU time spent.', () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  });
  gauge('process_resident_memory_bytes', 'Resident memory.', () => process.memoryUsage.rss());
  gauge('process_start_time_seconds', 'Unix time of the start.', () => Date.now() / 1000 - process.uptime());
  gauge('process_open_fds', 'Open file descriptors.', openDescriptors);
  return registry;
}

function addLosses(registry: Registry, losses: LossCounters): void {
  for (const name of Object.keys(lossCauses) as LossName[]) {
    const causes = Object.entries(lossCauses[name]).map(([cause, text]) => `${cause}: ${text}`);
    const counter = new Counter({
      name: `everflame_agent_${name}_total`,
      help: `Losses by cause. ${causes.join('; ')}.`,
      labelNames: ['cause'],
      registers: [registry],
      collect() {
        counter.reset();
        for (const row of losses.rows()) {
          if (row.name === name) counter.inc({ cause: row.cause }, row.total);
        }
      },
    });
  }
}

function openDescriptors(): number {
  // One of them is that of the listing itself.
  return readdirSync('/proc/self/fd').length - 1;
}
