import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { http } from '@everflame/protocols';
import type { StorageStatus } from './storage/storage.ts';

/** The server's own metrics, in a registry of their own, since a process may run several servers. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #requests = new Histogram({
    name: 'everflame_http_request_duration_seconds',
    help: 'Time from a request to the end of its answer.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30],
    registers: [this.#registry],
  });
  readonly #refused = new Counter({
    name: 'everflame_requests_refused_total',
    help: 'Requests answered with a problem, by its code.',
    labelNames: ['code'],
    registers: [this.#registry],
  });
  readonly #profiles = this.#gauge('everflame_storage_profiles', 'Profiles stored.');
  readonly #series = this.#gauge('everflame_storage_series', 'Label sets stored.');
  readonly #bytes = this.#gauge('everflame_storage_bytes', 'Size of the store on disk.');
  readonly #damaged = this.#gauge('everflame_storage_damaged_profiles', 'Profiles in files that cannot be read.');
  readonly #deleted = new Gauge({
    name: 'everflame_storage_deleted_profiles',
    help: 'Profiles that retention has deleted since the store was made.',
    labelNames: ['cause'],
    registers: [this.#registry],
  });
  readonly #deletedBytes = new Gauge({
    name: 'everflame_storage_deleted_bytes',
    help: 'Bytes on disk that retention has freed since the store was made.',
    labelNames: ['cause'],
    registers: [this.#registry],
  });
  readonly #damagedFiles = this.#gauge('everflame_storage_damaged_files', 'Files of the store that cannot be read.');
  readonly #queued = this.#gauge('everflame_ingest_queued_bytes', 'Bodies that wait to be stored.');
  readonly #losses = new Gauge({
    name: 'everflame_agent_counter',
    help: 'What each agent last said of its own counters, totals since its start.',
    labelNames: ['agent', 'host_name', 'name', 'cause'],
    registers: [this.#registry],
  });

  readonly #openFindings = this.#gauge('everflame_findings_open', 'Findings that are open.');
  readonly #looks = this.#gauge('everflame_findings_looks', 'Looks for findings since the store was made.');
  readonly #failedLooks = this.#gauge('everflame_findings_looks_failed', 'Looks that failed since the start.');
  readonly #webhooks = new Gauge({
    name: 'everflame_webhook_events',
    help: 'Events for each webhook: waiting, delivered and dropped since the store was made, attempts that failed since the start.',
    labelNames: ['webhook', 'state'],
    registers: [this.#registry],
  });

  constructor() {
    // The delay of the event loop is looked at so often; prom-client's 10 ms cost more than all else that an idle server does.
    collectDefaultMetrics({ register: this.#registry, prefix: 'everflame_', eventLoopMonitoringPrecision: 200 });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }

  observe(method: string, route: string, status: number, seconds: number): void {
    this.#requests.observe({ method, route, status }, seconds);
  }

  refused(code: string): void {
    this.#refused.inc({ code });
  }

  setStorage({ profiles, series, bytes, agents, deleted, damaged }: StorageStatus, queuedBytes: number): void {
    this.#profiles.set(profiles);
    this.#series.set(series);
    this.#bytes.set(bytes);
    this.#queued.set(queuedBytes);
    this.#damaged.set(damaged.reduce((sum, one) => sum + one.profiles, 0));
    this.#damagedFiles.set(damaged.length);
    for (const { cause, profiles: count, bytes: freed } of deleted) {
      this.#deleted.set({ cause }, count);
      this.#deletedBytes.set({ cause }, freed);
    }
    this.#losses.reset();
    for (const { id: agent, hostName: host_name, counters } of agents) {
      for (const { name, cause, total } of counters) this.#losses.set({ agent, host_name, name, cause }, Number(total));
    }
  }

  setFindings({ findings, watch }: http.FindingsAnswer): void {
    this.#openFindings.set(findings.length);
    this.#looks.set(watch.looks);
    this.#failedLooks.set(watch.failed);
    for (const { name: webhook, waiting, delivered, failedAttempts, dropped } of watch.webhooks) {
      const states = { waiting, delivered, failed_attempt: failedAttempts, dropped };
      for (const [state, count] of Object.entries(states)) this.#webhooks.set({ webhook, state }, count);
    }
  }

  #gauge(name: string, help: string): Gauge {
    return new Gauge({ name, help, registers: [this.#registry] });
  }
}
